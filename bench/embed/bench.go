package main

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
)

// bench holds everything that is measured.
type bench struct {
	options options
	runtime *ort.Runtime
	dir     string
	closers []func() error

	limit, limitInt8 *contestant
	models           []model
	contestants      []*contestant // of models, in their order
	way              []*wholeWay

	// around has, for each contestant and round, the limit's rate right
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

// limitWindow is how long the limit is measured beside each contestant.
const limitWindow = 300 * time.Millisecond

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
	if b.limit, err = b.gemm(false); err != nil {
		return err
	}
	if b.limitInt8, err = b.gemm(true); err != nil {
		return err
	}
	pictures, err := files()
	if err != nil {
		return err
	}
	for _, text := range b.options.models {
		s, err := parseSpec(text)
		if err != nil {
			return err
		}
		note("build %s", s)
		m, err := b.build(ctx, s)
		if err != nil {
			return fmt.Errorf("build %s: %w", s, err)
		}
		c, e, err := b.inference(ctx, m)
		if err != nil {
			return fmt.Errorf("open %s: %w", s, err)
		}
		b.models, b.contestants = append(b.models, m), append(b.contestants, c)
		if s.letter == "S" && s.side == b.options.side && s.form == vit.Fused {
			b.way = append(b.way, newWholeWay(s.String(), e, c, pictures))
		}
	}
	for _, c := range append([]*contestant{b.limit, b.limitInt8}, b.contestants...) {
		if err := c.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// measureRound measures everything once, the limit between any two.
func (b *bench) measureRound(ctx context.Context) error {
	before, err := b.limit.measure(ctx, limitWindow)
	if err != nil {
		return err
	}
	for _, c := range append([]*contestant{b.limitInt8}, b.contestants...) {
		rate, err := c.measure(ctx, b.options.window)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		c.rates = append(c.rates, rate)
		after, err := b.limit.measure(ctx, limitWindow)
		if err != nil {
			return err
		}
		b.around[c] = append(b.around[c], (before+after)/2)
		b.limit.rates = append(b.limit.rates, after)
		before = after
	}
	for _, w := range b.way {
		if err := w.measure(ctx, b.options.window); err != nil {
			return err
		}
	}
	return nil
}
