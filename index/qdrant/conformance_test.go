package qdrant_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/indextest"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// The stand-in compares everything in float64, so that the adapter on it misses
// nothing; but the protocol's scores are float32, and those that are equal only
// there come in another order. It holds few points, because every search reads
// all of them from a map.
var standInTolerances = indextest.Tolerances{AnyTieOrder: true, Points: 4000}

// A real server goes through its graph and may miss hits, computes in float32,
// and breaks ties as it likes.
var serverTolerances = indextest.Tolerances{ScoreError: 1e-5, Recall: .95, AnyTieOrder: true, Points: 20_000}

func TestIndex(t *testing.T) {
	s := qdranttest.New()
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop) // after the last of the parallel tests
	indextest.Run(t, subject(s.Address(), standInTolerances))
}

func TestIndexOnAServer(t *testing.T) {
	address := os.Getenv("PALATE_TEST_QDRANT")
	if address == "" {
		t.Skip("opt-in: PALATE_TEST_QDRANT names no server")
	}
	indextest.Run(t, subject(address, serverTolerances))
}

// subject gives every index a collection name of its own, and deletes its
// collections at the test's end.
func subject(address string, tolerances indextest.Tolerances) indextest.Subject {
	var count atomic.Int64
	var mu sync.Mutex
	names := make(map[index.Index]qdrant.Config)
	run := time.Now().UnixNano()
	open := func(t *testing.T, config qdrant.Config, model palate.ModelID, dim int) *qdrant.Index {
		t.Helper()
		x, err := qdrant.New(config, model, dim, quiet)
		must(t, err)
		mu.Lock()
		defer mu.Unlock()
		names[x] = config
		return x
	}
	return indextest.Subject{
		Tolerances: tolerances,
		Open: func(t *testing.T, model palate.ModelID, dim int) index.Index {
			t.Helper()
			config := configFor(t, address, func(c *qdrant.Config) {
				c.Collection = fmt.Sprintf("palate-test-%d-%d", run, count.Add(1))
			})
			x := open(t, config, model, dim)
			must(t, x.Clear(t.Context()))
			t.Cleanup(func() {
				x, err := qdrant.New(config, model, dim, quiet)
				must(t, err)
				must(t, x.Drop(context.Background())) // the test's is over
				must(t, x.Close())
			})
			return x
		},
		Reopen: func(t *testing.T, ix index.Index, _ []index.Point) index.Index {
			t.Helper()
			mu.Lock()
			config := names[ix]
			mu.Unlock()
			must(t, ix.Close())
			return open(t, config, ix.Model(), ix.Dim())
		},
	}
}
