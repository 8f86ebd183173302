package backup

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
)

// Catalog is what a backup needs of a collection's catalog.
type Catalog interface {
	// SnapshotTo writes a copy, as it is at one moment, into a new file.
	SnapshotTo(ctx context.Context, path string) error
	TombstoneOf(ctx context.Context, id palate.ImageID) (catalog.Tombstone, error)
}

// Snapshot is a copy of a catalog, opened.
type Snapshot interface {
	ListImages(ctx context.Context, q catalog.ImageQuery) (catalog.ImagePage, error)
	TrashedImages(ctx context.Context, after palate.ImageID, limit int) ([]catalog.Image, error)
	LastChange(ctx context.Context) (uint64, error)
	// Check lists what is wrong with the file.
	Check(ctx context.Context) ([]string, error)
	Close() error
}

// Collection is what is backed up.
type Collection struct {
	Catalog Catalog
	Store   imagestore.Store
	// Open opens a snapshot for reading and leaves nothing beside it.
	Open func(ctx context.Context, path string) (Snapshot, error)
}

// Options say how a backup is made.
type Options struct {
	Program        string // version of the program, for the manifest
	WithReferenced bool   // copies referenced files too
	Deep           bool   // reads every picture of the backup again, not only new ones
	// Keep is how many snapshots stay in a folder, the newest; 0 is all.
	// Pictures that only removed snapshots name go with them.
	Keep int
	// Progress, if not nil, is told how many pictures of how many are done.
	Progress func(done, total int)
}

// Report says what a backup did.
type Report struct {
	Path     string   `json:"path"`
	Snapshot string   `json:"snapshot,omitempty"` // its name in a folder
	New      int      `json:"new"`                // pictures that the backup did not have
	NewBytes int64    `json:"new_bytes"`
	Mended   int      `json:"mended"`            // pictures that were damaged in the backup and are whole again
	Removed  []string `json:"removed,omitempty"` // snapshots that Keep let go
	Spared   []string `json:"spared,omitempty"`  // snapshots beyond Keep that know much more than the newest
	Manifest Manifest `json:"manifest"`
}

// Summary is what a backup did, in numbers, and no path.
type Summary struct {
	Snapshot   string `json:"snapshot,omitempty"` // its name in a folder
	Pictures   int    `json:"pictures"`           // in the backup
	New        int    `json:"new"`                // of them, that the place did not have
	Mended     int    `json:"mended"`             // that were damaged there and are whole again
	Removed    int    `json:"removed"`            // older backups that went
	Referenced int    `json:"referenced"`         // that lie outside the collection and are not in it
	Missing    int    `json:"missing"`            // whose file the collection has not, or not whole
}

// Summary sums the report up.
func (r Report) Summary() Summary {
	m := r.Manifest
	return Summary{r.Snapshot, m.Files, r.New, r.Mended, len(r.Removed), len(m.Referenced), len(m.Missing)}
}

// target is where pictures go.
type target interface {
	// has reports whether a whole file of that picture is there.
	has(ctx context.Context, image catalog.Image) (bool, error)
	// put writes a picture; if its hash is not the image's, it is
	// errDamaged and nothing is written.
	put(ctx context.Context, image catalog.Image, r io.ReadSeeker) error
}

// eachImage visits the images of a snapshot, oldest first.
func eachImage(ctx context.Context, s Snapshot, visit func(catalog.Image) error) error {
	for after := ""; ; {
		page, err := s.ListImages(ctx, catalog.ImageQuery{Order: catalog.Oldest, After: after, Limit: 1000})
		if err != nil {
			return err
		}
		for _, image := range page.Images {
			if err := visit(image); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// eachTrashed visits the images that were in the trash.
func eachTrashed(ctx context.Context, s Snapshot, visit func(catalog.Image) error) error {
	for after := (palate.ImageID{}); ; {
		page, err := s.TrashedImages(ctx, after, 1000)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, image := range page {
			if err := visit(image); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// eachKept visits all of which the collection keeps a file.
func eachKept(ctx context.Context, s Snapshot, visit func(catalog.Image) error) error {
	if err := eachImage(ctx, s, visit); err != nil {
		return err
	}
	return eachTrashed(ctx, s, visit)
}

// fill copies the pictures that a snapshot names, and completes its manifest.
func (c Collection) fill(ctx context.Context, s Snapshot, to target, o Options, m *Manifest, r *Report) error {
	done := 0
	fillOne := func(image catalog.Image) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.fillOne(ctx, image, to, o, m, r); err != nil {
			return err
		}
		if done++; o.Progress != nil {
			o.Progress(done, m.Images+m.Trashed)
		}
		return nil
	}
	if err := eachImage(ctx, s, fillOne); err != nil {
		return err
	}
	return eachTrashed(ctx, s, fillOne)
}

func (c Collection) fillOne(ctx context.Context, image catalog.Image, to target, o Options, m *Manifest, r *Report) error {
	there, err := to.has(ctx, image)
	if err != nil {
		return err
	}
	if ref, isReference, err := c.referenced(ctx, image.ID); err != nil {
		return err
	} else if isReference && !there && !o.WithReferenced {
		m.Referenced = append(m.Referenced, ref)
		return nil
	}
	if !there {
		if err := c.copyOne(ctx, image, to); err != nil {
			return c.passBy(ctx, image, m, err)
		}
		r.New++
		r.NewBytes += image.Bytes
	}
	m.Files++
	m.FileBytes += image.Bytes
	return nil
}

func (c Collection) copyOne(ctx context.Context, image catalog.Image, to target) error {
	f, err := c.Store.Open(ctx, image.ID)
	if err != nil {
		return err
	}
	defer f.Close()
	return to.put(ctx, image, original{ctx, f})
}

// original is a file of the collection. That it can't be read is told from
// what is wrong with the place of the backup.
type original struct {
	ctx context.Context
	io.ReadSeeker
}

func (o original) Read(p []byte) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := o.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return n, err
}

var (
	errUnreadable = errors.New("its file can't be read")
	errDamaged    = errors.New("its file is not the picture that the catalog names any more")
)

// passBy notes a picture that can't be copied, unless it is the backup's
// place that fails.
func (c Collection) passBy(ctx context.Context, image catalog.Image, m *Manifest, err error) error {
	switch {
	case errors.Is(err, errDamaged), errors.Is(err, errUnreadable):
	case errors.Is(err, palate.ErrNotFound), errors.Is(err, palate.ErrConflict):
		tombstone, tombErr := c.Catalog.TombstoneOf(ctx, image.ID)
		if tombErr == nil && !tombstone.Trashed { // the trash keeps its files
			m.Deleted = append(m.Deleted, image.ID)
			return nil
		}
		if tombErr != nil && !errors.Is(tombErr, palate.ErrNotFound) {
			return tombErr
		}
	default:
		return fmt.Errorf("back up image %s: %w", image.ID, err)
	}
	m.Missing = append(m.Missing, Missing{image.ID, err.Error()})
	return nil
}

// referenced tells where a picture lies that the collection has no copy of.
func (c Collection) referenced(ctx context.Context, id palate.ImageID) (Referenced, bool, error) {
	store, can := c.Store.(imagestore.InPlace)
	if !can {
		return Referenced{}, false, nil
	}
	ref, err := store.ReferenceOf(ctx, id)
	switch {
	case errors.Is(err, palate.ErrNotFound), errors.Is(err, palate.ErrConflict): // none, or one that can't be read
		return Referenced{}, false, nil
	case err != nil:
		return Referenced{}, false, err
	}
	told := Referenced{ID: id, Path: ref.Path, Bytes: ref.Bytes, SHA256: hex.EncodeToString(ref.SHA256[:]), Modified: ref.Modified}
	if s, raw := jsonPath(ref.Path); raw != nil {
		told.Path, told.PathRaw = s, raw
	}
	return told, true, nil
}

// begin copies the catalog into a file and opens the copy.
func (c Collection) begin(ctx context.Context, path string, m *Manifest) (Snapshot, error) {
	if err := c.Catalog.SnapshotTo(ctx, path); err != nil {
		return nil, err
	}
	s, err := c.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	failed := func(err error) (Snapshot, error) { return nil, errors.Join(err, s.Close()) }
	problems, err := s.Check(ctx)
	if err != nil {
		return failed(err)
	}
	if len(problems) > 0 {
		return failed(fmt.Errorf("the catalog is damaged (%s); the backups that are there stay as they are, restore the last one: %w", problems[0], palate.ErrUnavailable))
	}
	if m.LastChange, err = s.LastChange(ctx); err != nil {
		return failed(err)
	}
	m.Images = 0
	m.Trashed = 0
	if err := errors.Join(eachImage(ctx, s, func(catalog.Image) error { m.Images++; return nil }),
		eachTrashed(ctx, s, func(catalog.Image) error { m.Trashed++; return nil })); err != nil {
		return failed(err)
	}
	if m.CatalogSHA256, m.CatalogBytes, err = hashOf(path); err != nil {
		return failed(err)
	}
	return s, nil
}

func hashOf(path string) (string, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	sum, n, err := hashAll(f)
	return sum, n, err
}
