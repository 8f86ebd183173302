package main

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
)

// bench holds everything that is measured.
type bench struct {
	options options
	runtime *ort.Runtime
	dir     string
	closers []func() error

	limits      map[vit.Precision]*limit
	models      []dinov2.Model
	contestants []*contestant // of models, in their order
	way         []*wholeWay

	// around has, for each contestant and round, its precision's limit right
	// before and after it.
	around map[*contestant][]float64
}

func (b *bench) close() {
	for i := len(b.closers) - 1; i >= 0; i-- {
		if err := b.closers[i](); err != nil {
			note("close: %v", err)
		}
	}
}

// limitWindow is how long each product of the limit is measured, before and
// after each contestant.
const limitWindow = 100 * time.Millisecond

func (b *bench) measure(ctx context.Context) (*report, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	b.around = map[*contestant][]float64{}
	for round := range b.options.rounds {
		note("round %d of %d", round+1, b.options.rounds)
		if err := b.measureRound(ctx); err != nil {
			return nil, err
		}
	}
	r := b.report()
	for i, w := range b.way {
		var err error
		if r.Ways[i].ScaledCosine, err = w.scaledCosine(ctx); err != nil {
			return nil, err
		}
	}
	if b.options.memory {
		for i, m := range b.models {
			got, err := b.memoryOf(ctx, m)
			if err != nil {
				return nil, err
			}
			r.Models[i].Memory = got
		}
	}
	return r, nil
}

// prepare opens everything and runs each thing once.
func (b *bench) prepare(ctx context.Context) (err error) {
	b.limits = map[vit.Precision]*limit{}
	for _, precision := range []vit.Precision{vit.Float32, vit.Int8} {
		if b.limits[precision], err = b.newLimit(precision == vit.Int8); err != nil {
			return err
		}
	}
	pictures, err := files()
	if err != nil {
		return err
	}
	builder := dinov2.Builder{Dir: b.dir}
	for _, text := range b.options.models {
		s, err := dinov2.ParseSpec(text)
		if err != nil {
			return err
		}
		note("build %s", s)
		m, err := builder.Build(ctx, s)
		if err != nil {
			return fmt.Errorf("build %s: %w", s, err)
		}
		c, e, err := b.inference(ctx, m)
		if err != nil {
			return fmt.Errorf("open %s: %w", s, err)
		}
		b.models, b.contestants = append(b.models, m), append(b.contestants, c)
		if s.Letter == "S" && s.Side == b.options.side && s.Form == vit.Fused {
			b.way = append(b.way, newWholeWay(s.String(), e, c, pictures))
		}
	}
	for _, c := range b.contestants {
		if err := c.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// measureRound measures everything once, the limit before and after it.
func (b *bench) measureRound(ctx context.Context) error {
	for i, c := range b.contestants {
		limit := b.limits[b.models[i].Precision]
		before, err := limit.measure(ctx, limitWindow)
		if err != nil {
			return err
		}
		r, err := c.measure(ctx, b.options.window)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		after, err := limit.measure(ctx, limitWindow)
		if err != nil {
			return err
		}
		c.rates = append(c.rates, r)
		b.around[c] = append(b.around[c], (before+after)/2)
	}
	for _, w := range b.way {
		if err := w.measure(ctx, b.options.window); err != nil {
			return err
		}
	}
	return nil
}
