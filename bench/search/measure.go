package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/simd"
)

const model palate.ModelID = "be9c000000000000000000000000000000000000000000000000000000000000"

const (
	batch     = 1000
	ourName   = "index/flat"
	rareName  = "index/flat, 1 %"
	recalled  = 20 // queries whose answers are compared with float64
	slowPeers = "sqlite-vec,chromem"
)

// measure measures everything on one collection.
func measure(ctx context.Context, o options, kind, folder string) (m Collection, err error) {
	c := draw(kind, o.points, o.dim, o.queries, o.seed)
	m = Collection{Data: kind, Points: o.points, Dim: o.dim}
	config := flat.DefaultConfig()
	config.Path = filepath.Join(folder, kind+".flat")
	if err := build(ctx, c, config, &m); err != nil {
		return m, err
	}
	ix, err := reopen(o.dim, config, &m)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, ix.Close(), os.Remove(config.Path)) }()
	debug.FreeOSMemory() // what building took
	s := ix.Stats()
	own, _ := residentMB()
	m.VectorsMB, m.MappedMB = float64(s.MemoryBytes)/1e6, float64(s.MappedBytes)/1e6
	m.OwnMB = own - float64(4*len(c.vectors))/1e6
	if err := m.recall(ctx, c, ix); err != nil {
		return m, err
	}
	if err := m.turns(ctx, o, c, ix, folder); err != nil {
		return m, err
	}
	if o.rated > 0 {
		if m.Tastes, err = measureTastes(ctx, o, c, ix, folder); err != nil {
			return m, err
		}
	}
	return m, m.underLoad(ctx, o, c, ix)
}

// build fills an index as ingest does, and leaves its side file.
func build(ctx context.Context, c *collection, config flat.Config, m *Collection) error {
	ix, err := flat.Open(model, c.dim, config)
	if err != nil {
		return err
	}
	begin := time.Now()
	for from := 0; from < c.points(); from += batch {
		points := make([]index.Point, 0, batch)
		for i := from; i < min(from+batch, c.points()); i++ {
			points = append(points, c.point(i))
		}
		if err := ix.Upsert(ctx, points); err != nil {
			return err
		}
	}
	m.InsertsPerSecond = float64(c.points()) / time.Since(begin).Seconds()
	begin = time.Now()
	ix.SetPosition(1) // writes the file if there are many points
	if err := ix.Close(); err != nil {
		return err
	}
	m.SaveSeconds = time.Since(begin).Seconds()
	return nil
}

func reopen(dim int, config flat.Config, m *Collection) (ix *flat.Index, err error) {
	m.OpenSeconds = math.Inf(1)
	for range 3 {
		if ix != nil {
			if err := ix.Close(); err != nil {
				return nil, err
			}
		}
		ix = nil
		runtime.GC()
		begin := time.Now()
		if ix, err = flat.Open(model, dim, config); err != nil {
			return nil, err
		}
		m.OpenSeconds = min(m.OpenSeconds, time.Since(begin).Seconds())
		if ix.Position() != 1 {
			return nil, errors.New("the index did not start from its side file")
		}
	}
	return ix, nil
}

// recall compares answers with float64, and counts what the proof takes.
func (m *Collection) recall(ctx context.Context, c *collection, ix *flat.Index) error {
	n := min(recalled, len(c.queries))
	for _, q := range c.queries[:n] {
		truth := exactTop(c, q, 100, nil)
		for _, k := range []int{10, 100} {
			before := ix.Stats().Scored
			hits, err := ix.Search(ctx, index.Query{Vector: q, Limit: k})
			if err != nil {
				return err
			}
			var rows []int
			for _, hit := range hits {
				rows = append(rows, rowOf(hit.ID))
			}
			share, scored := truth.recall(c, q, rows, k)/float64(n), float64(ix.Stats().Scored-before)/float64(n)
			if k == 10 {
				m.Recall10, m.Candidates10 = m.Recall10+share, m.Candidates10+scored
			} else {
				m.Recall100, m.Candidates100 = m.Recall100+share, m.Candidates100+scored
			}
		}
	}
	return nil
}

// turns lets the contenders answer one query after the other.
func (m *Collection) turns(ctx context.Context, o options, c *collection, ix *flat.Index, folder string) (err error) {
	contenders := []contender{
		indexContender(ourName, ix, index.Filter{}),
		indexContender(rareName, ix, index.Filter{Categories: []string{"rare"}}),
		readContender(c.points() * simd.Stride(c.dim)), naiveContender(c), gonumContender(c),
	}
	builds := map[string]time.Duration{}
	if o.peers != "" {
		p, err := startPeers(ctx, c, folder)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.stop()) }()
		for name := range strings.SplitSeq(o.peers, ",") {
			every := 1
			if strings.Contains(slowPeers, name) {
				every = o.slowEvery
			}
			peer, took, err := p.contender(name, every)
			if err != nil {
				return err
			}
			contenders, builds[name] = append(contenders, peer), took
		}
	}
	r := rand.New(rand.NewPCG(o.seed, 99))
	took, times, recall := map[string][]time.Duration{}, map[string][]float64{}, map[string][]float64{}
	var overRead []float64
	for n, q := range c.queries {
		if n == 0 { // once without looking at the clock
			if _, _, err := turn(ctx, r, 0, contenders, q, 10); err != nil {
				return err
			}
		}
		durations, rows, err := turn(ctx, r, n, contenders, q, 10)
		if err != nil {
			return err
		}
		var truth *top
		if n%o.slowEvery == 0 {
			truth = exactTop(c, q, 10, nil)
		}
		for name, d := range durations {
			took[name] = append(took[name], d)
			times[name] = append(times[name], float64(d)/float64(durations[ourName]))
			if truth != nil && len(rows[name]) > 0 && name != rareName {
				recall[name] = append(recall[name], truth.recall(c, q, rows[name], 10))
			}
		}
		overRead = append(overRead, float64(durations[ourName])/float64(durations["read"]))
	}
	for _, peer := range contenders {
		m.Contenders = append(m.Contenders, Latency{
			Name: peer.name, Queries: len(took[peer.name]), P50: percentile(took[peer.name], .5), P99: percentile(took[peer.name], .99),
			Times: median(times[peer.name]), Recall10: mean(recall[peer.name]), Build: builds[peer.name].Seconds(),
		})
	}
	m.TimesOfBandwidth = median(overRead)
	m.ReadGBPerSecond = float64(c.points()*simd.Stride(c.dim)) / 1e6 / percentile(took["read"], .5)
	return nil
}

// underLoad lets clients search at once, and then beside inserts.
func (m *Collection) underLoad(ctx context.Context, o options, c *collection, ix *flat.Index) error {
	all := index.Query{Limit: 10}
	rare := index.Query{Limit: 10, Filter: index.Filter{Categories: []string{"rare"}}}
	for _, l := range []struct {
		name    string
		clients int
		q       index.Query
	}{{"all", 1, all}, {"all", o.clients, all}, {"1 %", o.clients, rare}} {
		load, _, err := clients(ctx, l.clients, o.load, c, ix, l.q)
		if err != nil {
			return err
		}
		load.Name = l.name
		m.Load = append(m.Load, load)
	}
	if o.mixed == 0 {
		return nil
	}
	mixed, err := beside(ctx, o, c, ix, all)
	if err != nil {
		return fmt.Errorf("mixed load: %w", err)
	}
	m.Mixed = &mixed
	return nil
}
