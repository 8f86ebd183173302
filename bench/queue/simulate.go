package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// heldOut is the share of the pictures that is never asked about.
const heldOut = .4

// trace is how one person's taste was learned: after each batch.
type trace struct {
	auc   []float64
	likes []int // among the pictures shown so far
}

// state is what a way to ask knows.
type state struct {
	*pictures
	left     []int  // pictures that can be asked about, in no order
	asked    []int  // those that were, the first first
	liked    []bool // what was said of each of them
	taste    scorer // nil while nothing was liked or nothing disliked
	learned  *probe.Probe
	random   *rand.Rand
	examples []probe.Example
}

// scorer is what was learned: 0 is where likes and dislikes are level, if it
// is a probe; before there is one, higher is likelier and no more.
type scorer interface {
	Score(palate.Embedding) float64
}

// provisional orders before a probe can be trained, as the product does.
type provisional struct{ *probe.Neighbourhood }

func (p provisional) Score(e palate.Embedding) float64 { return p.Neighbourhood.Score(e, -1, -1) }

// simulate lets every person be asked in one way.
func simulate(ctx context.Context, p *pictures, t sortOfTaste, way string, kind probe.Kind, o options) ([]trace, error) {
	traces, errs := make([]trace, o.persons), make([]error, o.persons)
	slots := make(chan struct{}, max(1, o.parallel))
	var wg sync.WaitGroup
	for i := range traces {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			traces[i], errs[i] = learn(ctx, p, t, ways[way], kind, uint64(o.first+i), o)
		})
	}
	wg.Wait()
	return traces, errors.Join(errs...)
}

// learn asks one person.
func learn(ctx context.Context, p *pictures, t sortOfTaste, way way, kind probe.Kind, person uint64, o options) (trace, error) {
	draw := rand.New(rand.NewPCG(person, 1)) // the same for every way
	truth := t.draw(draw)
	order := draw.Perm(len(p.rows))
	test := order[:int(heldOut*float64(len(order)))]
	s := &state{pictures: p, left: slices.Clone(order[len(test):]), random: rand.New(rand.NewPCG(person, 2))}
	verdicts := make([]bool, len(test))
	for k, i := range test {
		verdicts[k] = truth[i]
	}
	var out trace
	likes := 0
	for len(s.asked) < o.ratings && len(s.left) >= o.batch {
		s.random.Shuffle(len(s.left), func(a, b int) { s.left[a], s.left[b] = s.left[b], s.left[a] })
		for _, i := range way(s, o.batch) {
			s.asked, s.liked = append(s.asked, i), append(s.liked, truth[i])
			s.examples = append(s.examples, probe.Example{Image: idOf(i), Embedding: p.rows[i], Liked: truth[i]})
			if truth[i] {
				likes++
			}
		}
		s.left = slices.DeleteFunc(s.left, func(i int) bool { return slices.Contains(s.asked[max(0, len(s.asked)-o.batch):], i) })
		if err := s.train(ctx, kind); err != nil {
			return out, err
		}
		auc := .5
		if s.taste != nil {
			scores := make([]float64, len(test))
			for k, i := range test {
				scores[k] = s.taste.Score(p.rows[i])
			}
			var err error
			if auc, err = judge.AUC(scores, verdicts); err != nil {
				return out, err
			}
		}
		out.auc, out.likes = append(out.auc, auc), append(out.likes, likes)
	}
	return out, nil
}

// train learns from what was said, with fewer folds than the product: they
// judge it, which is not needed here.
func (s *state) train(ctx context.Context, kind probe.Kind) error {
	c := probe.DefaultConfig()
	c.Kind, c.Folds, c.InnerFolds, c.Resamples, c.NearDuplicates, c.Parallelism = kind, 3, 2, 0, false, 1
	learned, _, err := probe.Train(ctx, s.examples, "bench", c)
	var missing *probe.NotEnoughError
	switch {
	case err == nil:
		s.learned, s.taste = learned, learned
		return nil
	case !errors.As(err, &missing):
		return err
	}
	var likes, dislikes []palate.Embedding
	for _, e := range s.examples {
		if e.Liked {
			likes = append(likes, e.Embedding)
		} else {
			dislikes = append(dislikes, e.Embedding)
		}
	}
	if len(likes) == 0 || len(dislikes) == 0 {
		return nil
	}
	hood, err := probe.NewNeighbourhood(likes, dislikes)
	s.taste = provisional{hood}
	return err
}

func idOf(i int) (id palate.ImageID) {
	binary.BigEndian.PutUint32(id[:], uint32(i+1))
	return id
}
