package flat_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/indextest"
	"github.com/palate-art/palate/test/race"
)

const model palate.ModelID = "f1a7000000000000000000000000000000000000000000000000000000000000"

func open(t *testing.T, model palate.ModelID, dim int, config flat.Config) *flat.Index {
	t.Helper()
	ix, err := flat.Open(model, dim, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ix.Close() })
	return ix
}

func TestConformance(t *testing.T) {
	inGo, oneWorker := flat.DefaultConfig(), flat.DefaultConfig()
	inGo.PureGo, oneWorker.Workers = true, 1
	for name, config := range map[string]flat.Config{"C": flat.DefaultConfig(), "Go": inGo, "one worker": oneWorker} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject := indextest.Subject{
				Open: func(t *testing.T, model palate.ModelID, dim int) index.Index { return open(t, model, dim, config) },
				Reopen: func(t *testing.T, ix index.Index, held []index.Point) index.Index {
					ok(t, ix.Close())
					again := open(t, ix.Model(), ix.Dim(), config)
					ok(t, again.Upsert(t.Context(), held))
					return again
				},
			}
			if name != "C" {
				subject.Tolerances.Points = 4000
			}
			indextest.Run(t, subject)
		})
	}
}

// TestConformanceOnFile keeps a side file, which a reopened index starts from.
func TestConformanceOnFile(t *testing.T) {
	var files, opened, loaded atomic.Int64
	folder := t.TempDir()
	paths := make(chan map[*flat.Index]string, 1)
	paths <- map[*flat.Index]string{}
	openAt := func(t *testing.T, model palate.ModelID, dim int, path string) *flat.Index {
		config := flat.DefaultConfig()
		config.Path = path
		ix := open(t, model, dim, config)
		known := <-paths
		known[ix] = path
		paths <- known
		return ix
	}
	indextest.Run(t, indextest.Subject{
		Open: func(t *testing.T, model palate.ModelID, dim int) index.Index {
			return openAt(t, model, dim, filepath.Join(folder, fmt.Sprint(files.Add(1))))
		},
		Reopen: func(t *testing.T, ix index.Index, held []index.Point) index.Index {
			known := <-paths
			path := known[ix.(*flat.Index)]
			paths <- known
			before := ix.(*flat.Index)
			now := uint64(opened.Add(1))
			before.SetPosition(now)
			ok(t, before.Close())
			again := openAt(t, ix.Model(), ix.Dim(), path)
			if again.Position() == now {
				loaded.Add(1)
			} else { // too little had changed: what changed comes again
				catchUp(t, again, held)
			}
			return again
		},
		Tolerances: indextest.Tolerances{Points: 10_000},
	})
	t.Cleanup(func() {
		if loaded.Load() < 5 {
			t.Errorf("%d of %d reopened indexes started from their file", loaded.Load(), opened.Load())
		}
	})
}

func catchUp(t *testing.T, ix *flat.Index, held []index.Point) {
	t.Helper()
	there := make(map[palate.ImageID]bool, len(held))
	for _, p := range held {
		there[p.ID] = true
	}
	foreign, err := ix.IDs(t.Context(), palate.ImageID{}, 1<<30)
	ok(t, err)
	ok(t, ix.Delete(t.Context(), slices.DeleteFunc(foreign, func(id palate.ImageID) bool { return there[id] })))
	ok(t, ix.Upsert(t.Context(), held))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func id(n int) palate.ImageID {
	return palate.ImageID{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), 1}
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

func spread(r *rand.Rand, dim int) palate.Embedding {
	e := make(palate.Embedding, dim)
	for i := range e {
		e[i] = float32(r.NormFloat64())
	}
	return normalise(e)
}

func points(r *rand.Rand, from, to, dim int) []index.Point {
	all := make([]index.Point, 0, to-from)
	for n := from; n < to; n++ {
		a := index.Attributes{Artists: []string{fmt.Sprint("artist ", n%7)}, Years: []int{1800 + n%50}}
		if n%3 == 0 {
			a.Verdicts = map[palate.Profile]palate.Verdict{"me": palate.Like}
		}
		all = append(all, index.Point{ID: id(n), Embedding: spread(r, dim), Attributes: a})
	}
	return all
}

func normalise(e palate.Embedding) palate.Embedding {
	var squares float64
	for _, v := range e {
		squares += float64(v) * float64(v)
	}
	for i := range e {
		e[i] = float32(float64(e[i]) / sqrt(squares))
	}
	return e
}

func TestOpenRefuses(t *testing.T) {
	noLogger := flat.Config{Workers: -1}
	for _, tt := range []struct {
		dim    int
		config flat.Config
	}{{0, flat.DefaultConfig()}, {-1, flat.DefaultConfig()}, {1 << 20, flat.DefaultConfig()}, {4, noLogger}} {
		if _, err := flat.Open(model, tt.dim, tt.config); !isInvalid(err) {
			t.Errorf("dimension %d, %+v: got %v, want ErrInvalid", tt.dim, tt.config, err)
		}
	}
}

// TestDeadRowsGo replaces and deletes until rows must have been written anew.
func TestDeadRowsGo(t *testing.T) {
	const n, dim = 2000, 8
	for _, path := range []string{"", filepath.Join(t.TempDir(), "x.flat")} {
		config := flat.DefaultConfig()
		config.Path = path
		ix := open(t, model, dim, config)
		r := random(1)
		for round := range 12 {
			ok(t, ix.Upsert(t.Context(), points(r, 0, n, dim)))
			ix.SetPosition(uint64(round + 1))
			if s := ix.Stats(); s.Points != n || s.Dead > max(flat.LeastDead, n) {
				t.Fatalf("round %d: %+v, want %d points and not more dead rows than that", round, s, n)
			}
		}
		last := points(r, 0, n, dim)
		ok(t, ix.Upsert(t.Context(), last))
		ok(t, ix.Delete(t.Context(), []palate.ImageID{id(5)}))
		got, err := ix.Get(t.Context(), []palate.ImageID{id(4), id(5), id(n - 1)})
		ok(t, err)
		if len(got) != 2 || !slices.Equal(got[0].Embedding, last[4].Embedding) || !slices.Equal(got[1].Attributes.Artists, last[n-1].Attributes.Artists) {
			t.Errorf("after rows were written anew: %v", got)
		}
		count, err := ix.Count(t.Context(), index.Filter{Artists: []string{"artist 5"}})
		ok(t, err)
		if want := (n-5+6)/7 - 1; count != want {
			t.Errorf("%d points of artist 5, want %d", count, want)
		}
	}
}

// TestSharedScans searches from many goroutines, of which some give up, and
// compares with what one alone finds.
func TestSharedScans(t *testing.T) {
	const dim, n, queries = 64, flat.AloneBytes/64 + 5000, 24
	ix := open(t, model, dim, flat.DefaultConfig())
	r := random(2)
	ok(t, ix.Upsert(t.Context(), points(r, 0, n, dim)))
	ask := make([]index.Query, queries)
	want := make([][]index.Hit, queries)
	var err error
	for i := range ask {
		ask[i] = index.Query{Vector: spread(r, dim), Limit: 1 + i*3}
		if i%3 == 1 {
			ask[i].Filter.YearTo = 1800 + i
		}
		if i%3 == 2 {
			ask[i].Filter.NotJudgedBy = "me"
		}
		want[i], err = ix.Search(t.Context(), ask[i])
		ok(t, err)
	}
	searchers(t, 8, 6, func(g, n int) error {
		i := (g*5 + n) % queries
		if g%4 == 3 {
			return giveUp(t, ix, ask[i], n)
		}
		got, err := ix.Search(t.Context(), ask[i])
		if err != nil {
			return err
		}
		if !slices.Equal(got, want[i]) {
			return fmt.Errorf("query %d among others: %v, alone: %v", i, got, want[i])
		}
		return nil
	})
}

// TestSpill lets points come until those in memory go to the file.
func TestSpill(t *testing.T) {
	race.Long(t)
	const dim, n = 4, flat.LeastLoose + flat.MaxSegment
	config := flat.DefaultConfig()
	config.Path = filepath.Join(t.TempDir(), "x.flat")
	ix := open(t, model, dim, config)
	r := random(3)
	for from := 0; from < n; from += 20_000 {
		ok(t, ix.Upsert(t.Context(), points(r, from, min(n, from+20_000), dim)))
		if from == 40_000 {
			ix.SetPosition(7)
		}
	}
	if s := ix.Stats(); s.Points != n || s.MappedBytes < 4*dim*flat.MaxSegment {
		t.Errorf("%+v, want %d points and most of them in the file", s, n)
	}
	if _, err := os.Stat(config.Path); err != nil {
		t.Error(err)
	}
	p := points(random(9), 10, 11, dim)
	ok(t, ix.Upsert(t.Context(), p)) // replaces one that lies in the file
	hits, err := ix.Search(t.Context(), index.Query{Vector: p[0].Embedding, Limit: 1, Filter: index.Filter{IDs: []palate.ImageID{id(10)}}})
	ok(t, err)
	if len(hits) != 1 || hits[0].Score < .999 {
		t.Errorf("a replaced point of the file scores %v, want 1", hits)
	}
}

func TestSelectFirst(t *testing.T) {
	r := random(4)
	for range 2000 {
		list := make([]int, r.IntN(40))
		for i := range list {
			list[i] = r.IntN(1 + r.IntN(50))
		}
		sorted := slices.Sorted(slices.Values(list))
		n := r.IntN(len(list) + 2)
		flat.SelectFirst(list, n, func(a, b int) int { return a - b })
		n = min(n, len(list))
		if first := slices.Sorted(slices.Values(list[:n])); !slices.Equal(first, sorted[:n]) {
			t.Fatalf("the first %d are %v, want %v", n, first, sorted[:n])
		}
		slices.Sort(list)
		if !slices.Equal(list, sorted) {
			t.Fatal("elements were lost")
		}
	}
}
