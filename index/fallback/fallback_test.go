package fallback_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/fallback"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

var (
	model = palate.ModelID(strings.Repeat("d4", 32))
	quiet = slog.New(slog.DiscardHandler)
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pair is a server with two points and an embedded index with three, so that
// the number of hits tells who answered.
func pair(t *testing.T, config fallback.Config) (*qdranttest.Server, *fallback.Index) {
	t.Helper()
	server := qdranttest.Run(t)
	host, port, err := net.SplitHostPort(server.Address())
	must(t, err)
	c := qdrant.DefaultConfig()
	c.Host, c.RetryWait, c.Attempts = host, time.Millisecond, 2
	c.Port, err = strconv.Atoi(port)
	must(t, err)
	first, err := qdrant.New(c, model, 2, quiet)
	must(t, err)
	must(t, first.Clear(t.Context()))
	second, err := flat.New(model, 2)
	must(t, err)
	points := []index.Point{{ID: palate.ImageID{1}, Embedding: palate.Embedding{1, 0}}, {ID: palate.ImageID{2}, Embedding: palate.Embedding{0, 1}}, {ID: palate.ImageID{3}, Embedding: palate.Embedding{-1, 0}}}
	must(t, first.Upsert(t.Context(), points[:2]))
	must(t, second.Upsert(t.Context(), points))
	x, err := fallback.New(first, second, config, quiet)
	must(t, err)
	t.Cleanup(func() { must(t, x.Close()) })
	return server, x
}

func answers(t *testing.T, x *fallback.Index) int {
	t.Helper()
	hits, err := x.Search(t.Context(), index.Query{Vector: []float32{1, 2}, Limit: 10})
	must(t, err)
	batch, err := x.SearchBatch(t.Context(), []index.Query{{Vector: []float32{1, 2}, Limit: 10}, {Vector: []float32{2, 1}, Limit: 10}})
	must(t, err)
	if len(batch) != 2 || len(batch[0]) != len(hits) || len(batch[1]) != len(hits) {
		t.Errorf("got %v to two searches together, want %d hits of each", batch, len(hits))
	}
	count, err := x.Count(t.Context(), index.Filter{})
	must(t, err)
	points, err := x.Get(t.Context(), []palate.ImageID{{1}, {2}, {3}})
	must(t, err)
	scores, err := x.Scores(t.Context(), []float32{1, 2}, []palate.ImageID{{1}, {2}, {3}})
	must(t, err)
	ids, err := x.IDs(t.Context(), palate.ImageID{}, 10)
	must(t, err)
	must(t, x.Ready(t.Context()))
	if n := len(hits); count != n || len(points) != n || len(scores) != n || len(ids) != n {
		t.Errorf("got %d hits, a count of %d, %d points, %d scores and %d ids, want them from one index", n, count, len(points), len(scores), len(ids))
	}
	return len(hits)
}

func TestTheSecondAnswersWhileTheFirstIsAway(t *testing.T) {
	server, x := pair(t, fallback.Config{Patience: 5 * time.Second, Pause: time.Nanosecond})
	if got := answers(t, x); got != 2 {
		t.Errorf("got %d hits, want the 2 of the server", got)
	}
	server.Stop()
	if got := answers(t, x); got != 3 {
		t.Errorf("while the server is away: got %d hits, want the 3 of the embedded index", got)
	}
	must(t, server.Start(server.Address()))
	for deadline := time.Now().Add(20 * time.Second); ; {
		if hits, err := x.Search(t.Context(), index.Query{Vector: []float32{1, 2}, Limit: 10}); err == nil && len(hits) == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not answer again")
		}
	}
}

func TestAFirstThatDoesNotAnswerIsNotAskedForAWhile(t *testing.T) {
	server, x := pair(t, fallback.Config{Patience: 50 * time.Millisecond, Pause: time.Hour})
	server.Break(qdranttest.Fault{Delay: time.Hour})
	if got := answers(t, x); got != 3 { // six questions, of which one waits
		t.Errorf("got %d hits, want the 3 of the embedded index", got)
	}
	server.Heal()
	if got := answers(t, x); got != 3 {
		t.Errorf("during the pause: got %d hits, want the 3 of the embedded index", got)
	}
}

func TestWhatTheFirstRefusesIsRefused(t *testing.T) {
	_, x := pair(t, fallback.DefaultConfig())
	missing := palate.ImageID{9}
	if _, err := x.Search(t.Context(), index.Query{Near: &missing, Limit: 1}); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("got %v, want %v", err, palate.ErrNotFound)
	}
	if _, err := x.Search(t.Context(), index.Query{Vector: []float32{1, 2}, Limit: -1}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("got %v, want %v", err, palate.ErrInvalid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Search(ctx, index.Query{Vector: []float32{1, 2}, Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// away is an index that can't be reached, and counts who tries.
type away struct {
	*flat.Index
	asked int
}

func (a *away) Ready(context.Context) error { a.asked++; return palate.ErrUnavailable }

func TestThePauseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		embedded, err := flat.New(model, 2)
		must(t, err)
		first := &away{Index: embedded}
		x, err := fallback.New(first, embedded, fallback.DefaultConfig(), quiet)
		must(t, err)
		for _, wait := range []time.Duration{0, time.Second, 3 * time.Second, 2 * time.Second, time.Second} {
			time.Sleep(wait) // in the bubble's time
			must(t, x.Ready(t.Context()))
		}
		if first.asked != 2 {
			t.Errorf("the first was asked %d times in 7 s, want 2 times, 5 s apart", first.asked)
		}
	})
}

func TestIndexesThatDoNotFit(t *testing.T) {
	a, err := flat.New(model, 2)
	must(t, err)
	b, err := flat.New(palate.ModelID(strings.Repeat("e5", 32)), 2)
	must(t, err)
	if _, err := fallback.New(a, b, fallback.DefaultConfig(), quiet); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("two models: got %v, want %v", err, palate.ErrConflict)
	}
	if _, err := fallback.New(a, a, fallback.Config{}, quiet); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("no times: got %v, want %v", err, palate.ErrInvalid)
	}
}

// A rule of the server's own, such as one of its strict mode, is not the
// caller's fault.
func TestWhatTheServerRefusesTheSecondAnswers(t *testing.T) {
	server, x := pair(t, fallback.DefaultConfig())
	server.Break(qdranttest.Fault{Methods: []string{"Points/Query"}, Code: codes.InvalidArgument})
	if hits, err := x.Search(t.Context(), index.Query{Vector: []float32{1, 2}, Limit: 1}); err != nil || len(hits) != 1 {
		t.Errorf("got %v and %v, want the embedded index's answer", hits, err)
	}
}
