package works

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/sketch"
)

// Version tells what was found in different ways apart: with another one all is
// looked at anew. Version 1 did not compare colours.
const Version = 2

const (
	// neighbours is against how many of its nearest each picture is held.
	neighbours = 10
	// near is how near a neighbour must be to be worth a comparison, as an inner
	// product.
	near = .5
	// together is how many pictures are looked at before it is kept.
	together = 200
)

// Parts are what a search works on. All are needed.
type Parts struct {
	Catalog catalog.Copies
	Index   index.Index
	// Sketch gives a picture in small, as package sketch keeps it.
	Sketch func(ctx context.Context, id palate.ImageID) ([]byte, error)
	// Progress is told how many pictures were looked at, of how many; total is
	// too high where some are not embedded.
	Progress func(done, total int64)
	// AtOnce is how many pictures are decoded or compared at a time; 0 is as many
	// as there are processors.
	AtOnce int
}

// Report says what a search did, and what is known after it.
type Report struct {
	LookedAt   int `json:"looked_at"`  // by this search
	Unreadable int `json:"unreadable"` // of these, files that could not be read: they stand for themselves
	Compared   int `json:"compared"`   // pairs
	Pairs      int `json:"pairs"`      // of these, copies

	NotLookedAt int     `json:"not_looked_at"` // pictures still; those that are not embedded
	Works       int     `json:"works"`         // that have more than one picture
	Images      int     `json:"images"`        // of these works
	Seconds     float64 `json:"seconds"`
}

// Words say it to a person.
func (r Report) Words() string {
	words := []string{fmt.Sprintf("%d pictures were looked at in %.1f s.", r.LookedAt, r.Seconds)}
	switch {
	case r.Works == 1:
		words = append(words, fmt.Sprintf("One work has %d pictures.", r.Images))
	case r.Works > 0:
		words = append(words, fmt.Sprintf("%d works have more than one picture, %d in all.", r.Works, r.Images))
	default:
		words = append(words, "No two show one work.")
	}
	if r.Unreadable > 0 {
		words = append(words, fmt.Sprintf("%d could not be read, and stand for themselves.", r.Unreadable))
	}
	if r.NotLookedAt > 0 {
		words = append(words, fmt.Sprintf("%d were not looked at: they are not embedded yet, or the index does not have them yet.", r.NotLookedAt))
	}
	return strings.Join(words, " ")
}

// Look looks at all pictures of the index that were not looked at. What it found
// before an error is kept.
func Look(ctx context.Context, parts Parts) (Report, error) { return lookAll(ctx, parts, together) }

func lookAll(ctx context.Context, parts Parts, together int) (Report, error) {
	begun := time.Now()
	counts, err := parts.Catalog.CountCopies(ctx, Version)
	if err != nil {
		return Report{}, err
	}
	l := &look{Parts: parts, total: int64(counts.NotLookedAt), least: make(map[palate.ImageID]float32)}
	for after := (palate.ImageID{}); ; {
		ids, err := parts.Catalog.NotLookedAt(ctx, Version, parts.Index.Model(), after, together)
		if err != nil {
			return l.report, err
		}
		if len(ids) == 0 {
			break
		}
		if err := l.some(ctx, ids); err != nil {
			return l.report, err
		}
		after = ids[len(ids)-1]
	}
	if counts, err = parts.Catalog.CountCopies(ctx, Version); err != nil {
		return l.report, err
	}
	l.report.NotLookedAt, l.report.Works, l.report.Images = counts.NotLookedAt, counts.Works, counts.Images
	l.report.Seconds = time.Since(begun).Seconds()
	return l.report, nil
}

// Waiting reports whether pictures wait for a search, and whether the index has
// some of the first of them.
func Waiting(ctx context.Context, parts Parts) (waiting, ready bool, err error) {
	ids, err := parts.Catalog.NotLookedAt(ctx, Version, parts.Index.Model(), palate.ImageID{}, together)
	if err != nil || len(ids) == 0 {
		return false, false, err
	}
	points, err := parts.Index.Get(ctx, ids)
	return true, len(points) > 0, err
}

// look is one search.
type look struct {
	Parts
	total  int64
	report Report
	// least is how near the last neighbour is that a picture was held against: who
	// is nearer has been compared with it already.
	least map[palate.ImageID]float32
}

// some looks at some pictures; those that the index does not have yet are left.
func (l *look) some(ctx context.Context, ids []palate.ImageID) error {
	points, err := l.Index.Get(ctx, ids)
	if err != nil || len(points) == 0 {
		return err
	}
	candidates, err := l.candidates(ctx, points)
	if err != nil {
		return err
	}
	sketches, err := l.sketches(ctx, points, candidates)
	if err != nil {
		return err
	}
	same := make([][]palate.ImageID, len(points))
	if err := l.each(ctx, len(points), func(i int) error {
		same[i] = copiesAmong(sketches, points[i].ID, candidates[i])
		return nil
	}); err != nil {
		return err
	}
	var looked []palate.ImageID
	var pairs [][2]palate.ImageID
	for i, p := range points {
		looked = append(looked, p.ID)
		for _, id := range same[i] {
			pairs = append(pairs, [2]palate.ImageID{p.ID, id})
		}
		l.report.Compared += len(candidates[i])
		if s, asked := sketches[p.ID]; asked && s == nil {
			l.report.Unreadable++
		}
	}
	if err := l.Catalog.PutCopies(ctx, Version, looked, pairs); err != nil {
		return err
	}
	l.report.LookedAt += len(looked)
	l.report.Pairs += len(pairs)
	if l.Progress != nil {
		l.Progress(int64(l.report.LookedAt), l.total)
	}
	return nil
}

// copiesAmong are those candidates that show what a picture shows.
func copiesAmong(sketches map[palate.ImageID]*sketch.Sketch, id palate.ImageID, candidates []palate.ImageID) (same []palate.ImageID) {
	if sketches[id] == nil {
		return nil
	}
	me := sketch.NewPicture(sketches[id])
	for _, other := range candidates {
		if s := sketches[other]; s != nil && sketch.Same(me, sketch.NewPicture(s)) {
			same = append(same, other)
		}
	}
	return same
}

// candidates gives the nearest neighbours of each picture, but those with which
// it was compared from the other side.
func (l *look) candidates(ctx context.Context, points []index.Point) ([][]palate.ImageID, error) {
	queries := make([]index.Query, len(points))
	threshold := float32(near)
	for i, p := range points {
		queries[i] = index.Query{Vector: p.Embedding, Threshold: &threshold, Limit: neighbours + 1} // itself among them
	}
	found, err := l.Index.SearchBatch(ctx, queries)
	if err != nil {
		return nil, err
	}
	out := make([][]palate.ImageID, len(points))
	for i, p := range points {
		hits := slices.DeleteFunc(found[i], func(h index.Hit) bool { return h.ID == p.ID })
		hits = hits[:min(neighbours, len(hits))]
		for _, h := range hits {
			if least, done := l.least[h.ID]; !done || h.Score <= least {
				out[i] = append(out[i], h.ID)
			}
		}
		l.least[p.ID] = threshold
		if len(hits) == neighbours {
			l.least[p.ID] = hits[neighbours-1].Score
		}
	}
	return out, nil
}

// sketches gives what is needed to compare, nil where it can't be read.
func (l *look) sketches(ctx context.Context, points []index.Point, candidates [][]palate.ImageID) (map[palate.ImageID]*sketch.Sketch, error) {
	sketches := make(map[palate.ImageID]*sketch.Sketch)
	var ids []palate.ImageID
	for i, p := range points {
		if len(candidates[i]) == 0 {
			continue
		}
		for _, id := range append([]palate.ImageID{p.ID}, candidates[i]...) {
			if _, there := sketches[id]; !there {
				sketches[id], ids = nil, append(ids, id)
			}
		}
	}
	made := make([]*sketch.Sketch, len(ids))
	err := l.each(ctx, len(ids), func(i int) error {
		pixels, err := l.Sketch(ctx, ids[i])
		if err != nil && (ctx.Err() != nil || errors.Is(err, palate.ErrUnavailable)) {
			return err
		}
		if err == nil {
			made[i], _ = sketch.Read(pixels)
		}
		return nil
	})
	for i, id := range ids {
		sketches[id] = made[i]
	}
	return sketches, err
}

// each does something for all numbers below n, several at a time.
func (l *look) each(ctx context.Context, n int, do func(i int) error) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(l.AtOnce, runtime.GOMAXPROCS(0)))
	for i := 0; i < n && working.Err() == nil; i++ {
		group.Go(func() error {
			if err := working.Err(); err != nil {
				return err
			}
			return do(i)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}
