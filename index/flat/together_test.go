package flat_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

func isInvalid(err error) bool { return errors.Is(err, palate.ErrInvalid) }

// searchers run a look several times each, at once.
func searchers(t *testing.T, goroutines, times int, look func(g, n int) error) {
	t.Helper()
	var wait sync.WaitGroup
	for g := range goroutines {
		wait.Go(func() {
			for n := range times {
				if err := look(g, n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// giveUp searches and cancels meanwhile. The answer may still come.
func giveUp(t *testing.T, ix *flat.Index, q index.Query, n int) error {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range n * 1000 {
			_ = ctx.Err()
		}
		cancel()
	}()
	_, err := ix.Search(ctx, q)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
