package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/picture"
)

// maxThumbnailBytes is far more than any thumbnail has.
const maxThumbnailBytes = 16 << 20

type thumbnail struct {
	id    palate.ImageID
	width int
}

// thumbnails looks at what was derived for the page. A bad one is removed, as
// it is made again when it is asked for.
func (r *run) thumbnails(ctx context.Context) error {
	var batch []thumbnail
	flush := func() error {
		ids := make([]palate.ImageID, len(batch))
		for i, t := range batch {
			ids[i] = t.id
		}
		states, err := r.Catalog.ImageStates(ctx, ids)
		if err != nil {
			return err
		}
		for i, t := range batch {
			if err := r.thumbnail(ctx, t, states[i]); err != nil {
				return err
			}
		}
		batch = batch[:0]
		return nil
	}
	err := r.Store.WalkThumbnails(ctx, func(id palate.ImageID, width int) error {
		if batch = append(batch, thumbnail{id, width}); len(batch) < checkPage {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (r *run) thumbnail(ctx context.Context, t thumbnail, state catalog.ImageState) error {
	r.report.Thumbnails++
	f := Finding{Image: t.id}
	if state != catalog.PresentImage && state != catalog.TrashedImage {
		f.Damage, f.Detail = ThumbnailOrphaned, fmt.Sprintf("%d pixels wide, of no image", t.width)
	} else {
		problem, err := r.problemOf(ctx, t)
		if err != nil || problem == "" {
			return err
		}
		f.Damage, f.Title, f.Detail = ThumbnailDamaged, r.titleOf(ctx, t.id), fmt.Sprintf("%d pixels wide: %s", t.width, problem)
	}
	if r.Repair {
		if err := r.Store.DeleteThumbnail(ctx, t.id, t.width); err != nil {
			return err
		}
		f.Mended = "removed: it is made again when it is asked for"
	}
	r.report.add(f)
	return nil
}

// problemOf says what is wrong with a thumbnail: by how it begins and ends or,
// deep, by decoding it.
func (r *run) problemOf(ctx context.Context, t thumbnail) (string, error) {
	file, err := r.Store.OpenThumbnail(ctx, t.id, t.width)
	if errors.Is(err, palate.ErrNotFound) || ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return palate.Message(err), nil
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxThumbnailBytes))
	switch {
	case err != nil:
		return palate.Message(err), nil
	case !bytes.HasPrefix(content, []byte("\xff\xd8")) || !bytes.HasSuffix(content, []byte("\xff\xd9")):
		return fmt.Sprintf("its %d bytes are no whole JPEG", len(content)), nil
	case !r.Deep:
		return "", nil
	}
	info, err := r.Budget.Check(ctx, content, picture.Terms{Limits: picture.DefaultLimits(), Alone: true})
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return palate.Message(err), nil
	case info.Width > t.width:
		return fmt.Sprintf("it is %d pixels wide", info.Width), nil
	}
	return "", nil
}
