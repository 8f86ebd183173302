package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

// Damage is a kind of what Check finds wrong.
type Damage string

// The kinds of damage.
const (
	FileMissing      Damage = "missing"           // a row whose file, or referenced original, is gone
	FileResized      Damage = "resized"           // a file of another length than its row says
	FileDamaged      Damage = "damaged"           // a file of the right length whose SHA-256 is another
	ReferenceChanged Damage = "reference_changed" // a referenced original that was changed since
	FileUnreadable   Damage = "unreadable"        // a file that can't be read
	FileOrphaned     Damage = "orphaned"          // a file that no row knows
)

// Finding is one thing that is wrong.
type Finding struct {
	Damage Damage         `json:"damage"`
	Image  palate.ImageID `json:"image_id"`
	Title  string         `json:"title,omitempty"`
	Detail string         `json:"detail,omitempty"`
}

// Check is what was looked at and what is wrong with it.
type Check struct {
	Rows     int            `json:"rows"`     // images in the catalog, all looked at
	Files    int            `json:"files"`    // files in the store
	Read     int            `json:"read"`     // files read whole and held against their SHA-256
	Bytes    int64          `json:"bytes"`    // of them
	Found    map[Damage]int `json:"found"`    // how many of each kind
	Findings []Finding      `json:"findings"` // the first of each kind
	MoreOf   map[Damage]int `json:"more_of"`  // how many of a kind are not in Findings
	Deep     bool           `json:"deep"`     // every file was read
	Complete bool           `json:"complete"` // it was not interrupted
}

// Well reports whether nothing is wrong with what was looked at.
func (r Check) Well() bool { return len(r.Found) == 0 && r.Complete }

// checkPage is how many images are looked at between two calls of told.
const checkPage = 200

// CheckFiles holds the catalog's rows against the files of the store, by
// presence and length or, deep, by reading each and comparing its SHA-256, and
// the store's files against the rows. It changes nothing: a file that is
// missing, resized or damaged is brought again by importing or crawling the
// picture once more. told may be nil.
func (c *Collection) CheckFiles(ctx context.Context, deep bool, told func(done, total int)) (Check, error) {
	r := Check{Found: make(map[Damage]int), MoreOf: make(map[Damage]int), Deep: deep}
	total, err := c.catalog.CountImages(ctx, index.Filter{})
	if err != nil {
		return r, err
	}
	for after := ""; ; {
		page, err := c.catalog.ListImages(ctx, catalog.ImageQuery{Order: catalog.Oldest, After: after, Limit: checkPage})
		if err != nil {
			return r, err
		}
		for _, image := range page.Images {
			if err := c.checkImage(ctx, &r, image); err != nil {
				return r, err
			}
		}
		if told != nil {
			told(r.Rows, max(total, r.Rows))
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if err := c.checkOrphans(ctx, &r); err != nil {
		return r, err
	}
	r.Complete = true
	return r, nil
}

func (r *Check) add(f Finding) {
	if r.Found[f.Damage]++; r.Found[f.Damage] <= namedImages {
		r.Findings = append(r.Findings, f)
	} else {
		r.MoreOf[f.Damage]++
	}
}

// checkImage looks at the file of one row.
func (c *Collection) checkImage(ctx context.Context, r *Check, image catalog.Image) error {
	r.Rows++
	finding := Finding{Image: image.ID, Title: image.Title()}
	file, err := c.store.Open(ctx, image.ID)
	switch {
	case err == nil:
		defer file.Close()
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, palate.ErrNotFound):
		finding.Damage = FileMissing
	case errors.Is(err, palate.ErrConflict):
		finding.Damage = ReferenceChanged
	default:
		finding.Damage = FileUnreadable
	}
	if err != nil {
		finding.Detail = err.Error()
		r.add(finding)
		return nil
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil && size != image.Bytes {
		finding.Damage, finding.Detail = FileResized, fmt.Sprintf("%d bytes, want %d", size, image.Bytes)
		r.add(finding)
		return nil
	}
	if err == nil && r.Deep {
		hash := sha256.New()
		if _, err = file.Seek(0, io.SeekStart); err == nil {
			_, err = io.Copy(hash, &untilDone{ctx, file})
		}
		if err == nil {
			r.Read++
			r.Bytes += size
			if [sha256.Size]byte(hash.Sum(nil)) != image.SHA256 {
				finding.Damage, finding.Detail = FileDamaged, "its content is not what was stored"
				r.add(finding)
			}
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		finding.Damage, finding.Detail = FileUnreadable, err.Error()
		r.add(finding)
	}
	return nil
}

// untilDone reads until the context is done.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// checkOrphans looks for files that no row and no trash knows.
func (c *Collection) checkOrphans(ctx context.Context, r *Check) error {
	var batch []palate.ImageID
	flush := func() error {
		states, err := c.catalog.ImageStates(ctx, batch)
		if err != nil {
			return err
		}
		for i, state := range states {
			if state == catalog.UnknownImage {
				r.add(Finding{Damage: FileOrphaned, Image: batch[i]})
			}
		}
		batch = batch[:0]
		return nil
	}
	err := c.store.Walk(ctx, func(id palate.ImageID) error {
		r.Files++
		if batch = append(batch, id); len(batch) < checkPage {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
