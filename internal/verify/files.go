package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
)

// checkPage is how many images are looked at between two words of progress.
const checkPage = 200

// files holds the catalog's rows against the files of the store, by presence
// and length or, deep, by reading each and comparing its SHA-256.
func (r *run) files(ctx context.Context) error {
	total, err := r.Catalog.CountImages(ctx, index.Filter{})
	if err != nil {
		return err
	}
	for after := ""; ; {
		page, err := r.Catalog.ListImages(ctx, catalog.ImageQuery{Order: catalog.Oldest, After: after, Limit: checkPage})
		if err != nil {
			return err
		}
		for _, image := range page.Images {
			if err := r.row(ctx, image); err != nil {
				return err
			}
		}
		r.progress("files", r.report.Rows, max(total, r.report.Rows))
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// row looks at the file of one row, and mends it.
func (r *run) row(ctx context.Context, image catalog.Image) error {
	r.report.Rows++
	f, wrong, err := r.inspect(ctx, image)
	if err != nil || !wrong {
		return err
	}
	// Whoever deleted the picture meanwhile did no damage.
	states, err := r.Catalog.ImageStates(ctx, []palate.ImageID{image.ID})
	if err != nil || states[0] != catalog.PresentImage {
		return err
	}
	if r.Repair {
		if f.Mended, err = r.mendFile(ctx, image); err != nil {
			return err
		}
	}
	if f.Mended == "" {
		f.Detail = fmt.Sprintf("%s; it came from %s", f.Detail, originOf(image))
	}
	r.report.add(f)
	return nil
}

// inspect says what is wrong with the file of one row.
func (r *run) inspect(ctx context.Context, image catalog.Image) (f Finding, wrong bool, err error) {
	f = Finding{Image: image.ID, Title: image.Title()}
	is := func(damage Damage, format string, args ...any) (Finding, bool, error) {
		f.Damage, f.Detail = damage, fmt.Sprintf(format, args...)
		return f, true, nil
	}
	file, err := r.Store.Open(ctx, image.ID)
	switch {
	case err == nil:
		defer file.Close()
	case ctx.Err() != nil:
		return f, false, ctx.Err()
	case errors.Is(err, palate.ErrNotFound):
		return is(FileMissing, "%s", palate.Message(err))
	case errors.Is(err, palate.ErrConflict):
		return is(ReferenceChanged, "%s", palate.Message(err))
	default:
		return is(FileUnreadable, "%s", palate.Message(err))
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil && size != image.Bytes {
		return is(FileResized, "%d bytes, want %d", size, image.Bytes)
	}
	if err == nil && r.Deep {
		hash := sha256.New()
		if _, err = file.Seek(0, io.SeekStart); err == nil {
			_, err = io.Copy(hash, &untilDone{ctx, file})
		}
		if err == nil {
			r.report.Read++
			r.report.Bytes += size
			if [sha256.Size]byte(hash.Sum(nil)) != image.SHA256 {
				return is(FileDamaged, "its content is not what was stored")
			}
		}
	}
	if ctx.Err() != nil {
		return f, false, ctx.Err()
	}
	if err != nil {
		return is(FileUnreadable, "%s", palate.Message(err))
	}
	return f, false, nil
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

// orphans looks for files that no row and no trash knows, and moves them
// aside unless they are so many that rather the rows were lost.
func (r *run) orphans(ctx context.Context) error {
	unknown, err := r.unknown(ctx)
	if err != nil || len(unknown) == 0 {
		return err
	}
	rules := ingest.DefaultSweepRules()
	rules.OlderThan = r.OlderThan
	moved := ""
	orphans, err := r.Store.Older(ctx, r.OlderThan, unknown)
	if err != nil {
		return err
	}
	r.report.Young = len(unknown) - len(orphans)
	if r.Repair && len(orphans) > 0 {
		swept, err := r.Collection.Sweep(ctx, rules)
		switch {
		case errors.Is(err, palate.ErrConflict):
			r.report.Skipped = append(r.report.Skipped, "files without a row were left alone: "+palate.Message(err))
		case err != nil:
			return err
		case swept.Moved > 0:
			moved = "moved to " + swept.Folder + " and kept for 30 days"
		}
	}
	for _, id := range orphans {
		r.report.add(Finding{Damage: FileOrphaned, Image: id, Mended: moved})
	}
	return nil
}

// unknown lists the files that no row and no trash knows; whose row came while
// the others were looked at is known.
func (r *run) unknown(ctx context.Context) (all []palate.ImageID, err error) {
	var batch []palate.ImageID
	ask := func(ids []palate.ImageID) (unknown []palate.ImageID, err error) {
		states, err := r.Catalog.ImageStates(ctx, ids)
		for i, state := range states {
			if state == catalog.UnknownImage {
				unknown = append(unknown, ids[i])
			}
		}
		return unknown, err
	}
	flush := func() error {
		unknown, err := ask(batch)
		all, batch = append(all, unknown...), batch[:0]
		return err
	}
	err = r.Store.Walk(ctx, func(id palate.ImageID) error {
		r.report.Files++
		if batch = append(batch, id); len(batch) < checkPage {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return ask(all)
}
