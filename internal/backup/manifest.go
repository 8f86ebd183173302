package backup

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
)

// Version is that of the folder, the archive and the manifest.
const Version = 1

// The names in a snapshot and an archive.
const (
	catalogName  = "catalog.db"
	manifestName = "manifest.json"
)

// Manifest says what a snapshot holds.
type Manifest struct {
	Version       int       `json:"palate_backup"`
	MadeAt        time.Time `json:"made_at"`
	MadeBy        string    `json:"made_by"` // version of the program
	CatalogBytes  int64     `json:"catalog_bytes"`
	CatalogSHA256 string    `json:"catalog_sha256"`
	LastChange    uint64    `json:"last_change"` // the catalog's number
	Images        int       `json:"images"`      // rows of the catalog
	Trashed       int       `json:"trashed"`     // images in its trash; older palates did not back up their files
	Files         int       `json:"files"`       // pictures that are in the backup
	FileBytes     int64     `json:"file_bytes"`

	// Referenced are pictures of which the collection knows only where they
	// lie, and that are not in the backup.
	Referenced []Referenced `json:"referenced,omitempty"`
	// Missing are pictures whose file the collection had lost, or had
	// damaged, when it was backed up.
	Missing []Missing `json:"missing,omitempty"`
	// Deleted are pictures of this catalog that were deleted for good while it was
	// backed up; they are not in the backup, and deleted when it is restored.
	Deleted []palate.ImageID `json:"deleted,omitempty"`
}

// Name is what a folder calls the snapshot.
func (m Manifest) Name() string { return m.MadeAt.UTC().Format(snapshotTime) }

// Referenced is a file outside the collection.
type Referenced struct {
	ID       palate.ImageID `json:"id"`
	Path     string         `json:"path"`
	PathRaw  []byte         `json:"path_raw,omitempty"` // of a path that is not UTF-8
	Bytes    int64          `json:"bytes"`
	SHA256   string         `json:"sha256"`
	Modified time.Time      `json:"modified"`
}

// Missing is a picture that could not be backed up.
type Missing struct {
	ID     palate.ImageID `json:"id"`
	Reason string         `json:"reason"`
}

// ParseManifest reads a manifest. What is none is palate.ErrInvalid, one of a
// newer version palate.ErrConflict.
func ParseManifest(text []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		// One of another version may have other fields.
		var only struct {
			Version int `json:"palate_backup"`
		}
		if json.Unmarshal(text, &only) != nil || only.Version <= Version {
			return Manifest{}, fmt.Errorf("the backup's manifest can't be read: %w: %w", palate.ErrInvalid, err)
		}
		m.Version = only.Version
	}
	switch {
	case m.Version > Version:
		return Manifest{}, fmt.Errorf("the backup has version %d and this palate knows version %d; use a newer palate: %w", m.Version, Version, palate.ErrConflict)
	case m.Version < 1:
		return Manifest{}, fmt.Errorf("the manifest is not that of a palate backup: %w", palate.ErrInvalid)
	}
	sum, err := hex.DecodeString(m.CatalogSHA256)
	if err != nil || len(sum) != 32 || m.CatalogBytes < 1 || m.Images < 0 || m.Files < 0 || m.FileBytes < 0 {
		return Manifest{}, fmt.Errorf("the backup's manifest contradicts itself: %w", errors.Join(palate.ErrInvalid, err))
	}
	return m, nil
}
