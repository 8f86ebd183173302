package ingest

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/picture"
)

// mostHeard bounds how many pictures that turned out whole wait to be written:
// a killed process forgets at most so many, which are looked at again. What is
// damaged waits for nobody.
const mostHeard = 1024

// damages gathers what decoding tells of pictures on its way to the catalog. It
// is safe for concurrent use.
type damages struct {
	mu      sync.Mutex
	heard   []catalog.Damage
	damaged bool // one of them is
}

// hear notes what decoding told of an image, unless the catalog knows it.
func (d *damages) hear(image catalog.Image, what string) {
	if image.Decoded && image.Damage == what {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = append(d.heard, catalog.Damage{ID: image.ID, What: what})
	d.damaged = d.damaged || what != ""
}

// put writes what was heard if it is much or damaged, or all of it.
func (d *damages) put(ctx context.Context, c catalog.Catalog, all bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !all && !d.damaged && len(d.heard) < mostHeard {
		return nil
	}
	if err := c.PutDamage(ctx, d.heard); err != nil {
		return err
	}
	d.heard, d.damaged = d.heard[:0], false
	return nil
}

// DamageLook is what LookForDamage saw.
type DamageLook struct {
	Decoded    int // pictures
	Damaged    int // of them
	Unreadable int // files that are gone or no picture that can be shown; of them nothing is known still
}

// lookPage is how many pictures are decoded between two writes.
const lookPage = 64

// LookForDamage decodes the images that nobody has decoded since the catalog
// keeps what that tells: those of older collections, and what a crawl took by
// its structure and no model has embedded. It keeps what it hears unless the
// catalog can't be written. progress, if not nil, is told how many of how many
// are done.
func (c *Collection) LookForDamage(ctx context.Context, progress func(done, total int)) (DamageLook, error) {
	var look DamageLook
	counted, err := c.catalog.CountDamage(ctx)
	if err != nil {
		return look, err
	}
	writes := c.catalog.Writable(ctx) == nil
	for after := (palate.ImageID{}); ; {
		images, err := c.catalog.Undecoded(ctx, after, lookPage)
		if err != nil || len(images) == 0 {
			return look, err
		}
		told, unreadable, err := c.decodeAll(ctx, images)
		if err != nil {
			return look, err
		}
		look.Decoded, look.Unreadable = look.Decoded+len(told), look.Unreadable+unreadable
		for _, d := range told {
			if d.What != "" {
				look.Damaged++
			}
		}
		if writes {
			if err := c.catalog.PutDamage(ctx, told); err != nil {
				return look, err
			}
		}
		if progress != nil {
			done := look.Decoded + look.Unreadable
			progress(done, max(done, counted.Unknown))
		}
		after = images[len(images)-1].ID
	}
}

// lookReading is the fastest that tells all damage.
var lookReading = picture.Reading{Rules: picture.Current().Without(picture.JPEGWhole), Short: 1}

// lookers is how many pictures are decoded at a time, within the budget.
const lookers = 4

// decodeAll gives what decoding tells of images, and how many have no picture
// that can be shown.
func (c *Collection) decodeAll(ctx context.Context, images []catalog.Image) (told []catalog.Damage, unreadable int, err error) {
	var mu sync.Mutex
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(lookers)
	for _, image := range images {
		work.Go(func() error {
			info, err := c.openTold(ctx, image.ID, lookReading, 0, nil)
			own := errors.Is(err, palate.ErrInvalid) || errors.Is(err, palate.ErrNotFound) || errors.Is(err, palate.ErrConflict)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				told = append(told, catalog.Damage{ID: image.ID, What: info.Damage})
			case own && ctx.Err() == nil:
				unreadable++
			default:
				return err
			}
			return nil
		})
	}
	err = work.Wait()
	return told, unreadable, err
}
