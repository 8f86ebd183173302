package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/qdrant"
)

// Served is what was measured of a Qdrant server, beside the embedded index.
type Served struct {
	Data     string    `json:"data"`
	Points   int       `json:"points"`
	Dim      int       `json:"dim"`
	Version  string    `json:"version"`
	Fillings []Filling `json:"fillings"`
	Lists    []List    `json:"lists"`
	Tastes   []Ranked  `json:"tastes,omitempty"`
}

// Filling is how long it takes until all points are there, and until the server
// has built its graphs.
type Filling struct {
	Way     string  `json:"way"`
	Points  float64 `json:"points_seconds"`
	Settled float64 `json:"settled_seconds"`
	Indexed uint64  `json:"indexed"` // vectors in graphs
}

// List is one kind of list, at one k, while the server is in some state.
type List struct {
	State    string  `json:"state"`
	Filter   string  `json:"filter"`
	K        int     `json:"k"`
	Share    float64 `json:"share"` // of the points that pass
	Embedded float64 `json:"embedded_p50_ms"`
	Asked    []Asked `json:"asked"`
}

// Asked is one way to ask the server.
type Asked struct {
	Way    string  `json:"way"`
	P50    float64 `json:"p50_ms"`
	Times  float64 `json:"times_of_embedded"` // median of the ratios within a turn
	Recall float64 `json:"recall"`
}

const me palate.Profile = "me"

// verdictOf is what is said of row i; half of the rows are rated.
func verdictOf(i int) palate.Verdict {
	switch i % 4 {
	case 0:
		return palate.Like
	case 2:
		return palate.Dislike
	}
	return ""
}

// listed are the filters that lists have, with what passes them.
var listed = []struct {
	name   string
	filter index.Filter
	passes func(row int) bool
}{
	{"all", index.Filter{}, func(int) bool { return true }},
	{"unrated", index.Filter{NotJudgedBy: me}, func(i int) bool { return verdictOf(i) == "" }},
	{"rated", index.Filter{JudgedBy: me}, func(i int) bool { return verdictOf(i) != "" }},
	{"liked", index.Filter{LikedBy: me}, func(i int) bool { return verdictOf(i) == palate.Like }},
	{"years", index.Filter{YearFrom: 1500, YearTo: 1544}, func(i int) bool { return i%450 < 45 }},
	{"category", index.Filter{Categories: []string{"rare"}}, func(i int) bool { return i%rareEvery == 0 }},
	{"artist", index.Filter{Artists: []string{artist(7)}}, func(i int) bool { return i%artists == 7 }},
}

// ways are how the server is asked: by its graph with that ef, 0 being its own
// default, or exactly.
var ways = []struct {
	name  string
	ef    int
	exact bool
}{{"server's ef", 0, false}, {"ef=128", 128, false}, {"ef=256", 256, false}, {"ef=512", 512, false}, {"exact", 0, true}}

// measureQdrant fills a collection of its own on a server, in two ways, and asks
// for lists: when its graphs are there, right after half of the points were
// rated, and when the server has done with that. The collection is deleted.
func measureQdrant(ctx context.Context, o options, kind, folder string) (s Served, err error) {
	c := draw(kind, o.points, o.dim, o.queries, o.seed)
	s = Served{Data: kind, Points: o.points, Dim: o.dim}
	asked := make([]*qdrant.Index, len(ways))
	defer func() {
		for i, x := range slices.Backward(asked) {
			if x == nil {
				continue
			}
			if i == 0 {
				err = errors.Join(err, x.Drop(context.WithoutCancel(ctx)))
			}
			err = errors.Join(err, x.Close())
		}
	}()
	for i, way := range ways {
		config, err := qdrant.ParseAddress(o.qdrant)
		if err != nil {
			return s, err
		}
		config.HNSWSearch, config.Exact = way.ef, way.exact
		if asked[i], err = qdrant.New(config, model, c.dim, slog.New(slog.DiscardHandler)); err != nil {
			return s, err
		}
	}
	embedded, err := flat.Open(model, c.dim, flat.DefaultConfig())
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, embedded.Close()) }()
	if err := inBatches(c, batch, func(points []index.Point) error { return embedded.Upsert(ctx, points) }); err != nil {
		return s, err
	}
	if err := s.fill(ctx, c, asked[0]); err != nil {
		return s, err
	}
	if o.rated > 0 {
		if s.Tastes, err = measureTastes(ctx, o, c, asked[0], folder); err != nil {
			return s, err
		}
	}
	for _, state := range []string{"optimised", "just rated", "optimised again"} {
		switch state {
		case "just rated":
			if err := errors.Join(rate(ctx, c, asked[0]), rate(ctx, c, embedded)); err != nil {
				return s, err
			}
		case "optimised again":
			if err := asked[0].Settle(ctx, nil); err != nil {
				return s, err
			}
		}
		if err := s.lists(ctx, o, c, embedded, asked, state); err != nil {
			return s, err
		}
	}
	return s, nil
}

func inBatches(c *collection, size int, do func([]index.Point) error) error {
	for from := 0; from < c.points(); from += size {
		points := make([]index.Point, 0, size)
		for i := from; i < min(from+size, c.points()); i++ {
			points = append(points, c.point(i))
		}
		if err := do(points); err != nil {
			return err
		}
	}
	return nil
}

// fill fills the collection one upsert after the other while the server builds
// its graphs, and then as a rebuild does.
func (s *Served) fill(ctx context.Context, c *collection, x *qdrant.Index) error {
	if err := x.Clear(ctx); err != nil {
		return err
	}
	note := func(way string, begin time.Time, filled time.Duration) error {
		status, err := x.Status(ctx)
		if err != nil {
			return err
		}
		s.Version = status.Version
		for _, found := range status.Collections {
			if found.Serves {
				s.Fillings = append(s.Fillings, Filling{way, filled.Seconds(), time.Since(begin).Seconds(), found.Indexed})
			}
		}
		return nil
	}
	begin := time.Now()
	err := inBatches(c, qdrant.DefaultConfig().BatchPoints, func(points []index.Point) error { return x.Upsert(ctx, points) })
	filled := time.Since(begin)
	if err == nil {
		err = x.Settle(ctx, nil)
	}
	if err == nil {
		err = note("one upsert after the other, graphs meanwhile", begin, filled)
	}
	if err != nil {
		return err
	}
	begin = time.Now()
	staged, err := x.Stage(ctx)
	if err != nil {
		return err
	}
	err = inBatches(c, batch, func(points []index.Point) error { return staged.Upsert(ctx, points) })
	filled = time.Since(begin)
	if err == nil {
		err = staged.Settle(ctx, nil)
	}
	if err == nil {
		err = staged.Commit(ctx)
	}
	if err != nil {
		return err
	}
	return note("several upserts at once, graphs afterwards", begin, filled)
}

func rate(ctx context.Context, c *collection, ix index.Index) error {
	var judgements []index.Judgement
	for i := range c.points() {
		if v := verdictOf(i); v != "" {
			judgements = append(judgements, index.Judgement{ID: id(i), Profile: me, Verdict: v, Standing: map[palate.Profile]palate.Verdict{me: v}})
		}
	}
	for some := range slices.Chunk(judgements, batch) {
		if err := ix.Judge(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// lists asks for each list, the contenders in turns.
func (s *Served) lists(ctx context.Context, o options, c *collection, embedded index.Index, asked []*qdrant.Index, state string) error {
	r := rand.New(rand.NewPCG(o.seed, 99))
	for _, l := range listed {
		if state == "optimised" && (l.filter.NotJudgedBy != "" || l.filter.JudgedBy != "" || l.filter.LikedBy != "") {
			continue // nothing is rated yet
		}
		share := 0
		for i := range c.points() {
			if l.passes(i) {
				share++
			}
		}
		for _, k := range []int{10, 100} {
			list := List{State: state, Filter: l.name, K: k, Share: float64(share) / float64(c.points())}
			contenders := []contender{indexContender(ourName, embedded, l.filter)}
			for i, way := range ways {
				contenders = append(contenders, indexContender(way.name, asked[i], l.filter))
			}
			took, times, recall := map[string][]time.Duration{}, map[string][]float64{}, map[string][]float64{}
			for n, q := range c.queries {
				durations, rows, err := turn(ctx, r, n, contenders, q, k)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", state, l.name, err)
				}
				truth := exactTop(c, q, k, l.passes)
				for name, d := range durations {
					took[name] = append(took[name], d)
					times[name] = append(times[name], float64(d)/float64(durations[ourName]))
					recall[name] = append(recall[name], truth.recall(c, q, rows[name], k))
				}
			}
			list.Embedded = percentile(took[ourName], .5)
			if mean(recall[ourName]) < 1-1e-9 {
				return fmt.Errorf("%s: the embedded index has a recall of %v", l.name, mean(recall[ourName]))
			}
			for _, way := range ways {
				list.Asked = append(list.Asked, Asked{way.name, percentile(took[way.name], .5), median(times[way.name]), mean(recall[way.name])})
			}
			s.Lists = append(s.Lists, list)
		}
	}
	return nil
}
