package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/sketch"
)

// sketchDetail is the shorter side that a sketch is taken from, at least.
const sketchDetail = 2 * sketch.Side

// sketchDelay is how long sketches wait to be kept together: a killed process
// makes at most those of this time again.
const sketchDelay = time.Second

// sketching is the sketches that are made and not yet kept.
type sketching struct {
	mu      sync.Mutex
	waiting map[palate.ImageID][]byte
	last    time.Time // when some were kept
}

// Sketch gives an image in small (package sketch). It is made from the file,
// in some milliseconds, when it is first asked for, and kept in the catalog;
// where that can't be written it is made again. A picture that can't be read
// is an error.
func (c *Collection) Sketch(ctx context.Context, id palate.ImageID) ([]byte, error) {
	c.sketches.mu.Lock()
	made, waits := c.sketches.waiting[id]
	c.sketches.mu.Unlock()
	if waits {
		return made, nil
	}
	kept, err := c.catalog.SketchOf(ctx, sketch.Version, id)
	if !errors.Is(err, palate.ErrNotFound) {
		return kept, err
	}
	reading := picture.Reading{Rules: picture.Former, Short: sketchDetail, Window: func(int, int) picture.Window {
		return picture.CenterWindow(sketch.Side, sketch.Side, sketch.Side, sketch.Side, picture.Bicubic)
	}}
	err = c.open(ctx, id, reading, 0, func(m *picture.RGB) error {
		small, err := picture.Resize(m, sketch.Side, sketch.Side)
		if err != nil {
			return err
		}
		s, err := sketch.Of(small.Pix)
		if err != nil {
			return err
		}
		made = s[:]
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sketch of %s: %w", id, err)
	}
	// What can't be kept now is kept with a later one, or made again.
	_ = c.keepSketch(ctx, id, made)
	return made, nil
}

// keepSketch keeps a sketch, with others that wait, unless some were kept just
// now.
func (c *Collection) keepSketch(ctx context.Context, id palate.ImageID, made []byte) error {
	s := &c.sketches
	s.mu.Lock()
	if s.waiting == nil {
		s.waiting = make(map[palate.ImageID][]byte)
	}
	s.waiting[id] = made
	now := c.now()
	if now.Sub(s.last) < sketchDelay {
		s.mu.Unlock()
		return nil
	}
	s.last = now
	putting := maps.Clone(s.waiting)
	s.mu.Unlock()
	if err := c.catalog.PutSketches(ctx, sketch.Version, putting); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range putting {
		delete(s.waiting, id)
	}
	return nil
}
