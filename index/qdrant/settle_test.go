package qdrant_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// While points come, the server builds no graphs; then it builds them all, and
// is waited for.
func TestGraphsAreBuiltWhenThePointsAreThere(t *testing.T) {
	ctx := t.Context()
	s := qdranttest.Run(t)
	s.BuildGraphs(1, 2)
	x := open(t, configFor(t, s.Address()), model, dim)
	b, err := x.Stage(ctx)
	must(t, err)
	name, err := b.Generation(ctx)
	must(t, err)
	must(t, b.Upsert(ctx, randomPoints(60)))
	if got := s.Threshold(name); got != 0 {
		t.Errorf("while it is filled: graphs are built from %d kB on, want none", got)
	}
	s.Break(qdranttest.Fault{Methods: []string{"Collections/Get"}, Skip: 1, Times: 5, Code: codes.Unavailable}) // more than a call's attempts
	var told [][2]int
	must(t, b.Settle(ctx, func(done, total int) { told = append(told, [2]int{done, total}) }))
	if got := s.Threshold(name); got != 1 {
		t.Errorf("afterwards: graphs are built from %d kB on, want the server's 1", got)
	}
	if len(told) < 2 || !slices.IsSortedFunc(told, func(a, b [2]int) int { return a[0] - b[0] }) || told[0] != [2]int{0, 60} {
		t.Errorf("told %v, want more and more of 60", told)
	}
	must(t, b.Commit(ctx))
	status, err := x.Status(ctx)
	must(t, err)
	if got := status.Collections[0]; got.State != "green" || got.Indexed < 60 {
		t.Errorf("got %+v, want it green with a graph", got)
	}
}

func TestCommitResumesIndexingUnasked(t *testing.T) {
	s := qdranttest.Run(t)
	s.BuildGraphs(77, 1)
	newIndex(t, s)
	if got := s.Threshold(modelAlias); got != 77 {
		t.Errorf("graphs are built from %d kB on, want 77", got)
	}
}

func TestSettlingEndsWithItsContext(t *testing.T) {
	s := qdranttest.Run(t)
	s.BuildGraphs(1, 1_000_000)
	x := newIndex(t, s)
	must(t, x.Upsert(t.Context(), randomPoints(60)))
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := x.Settle(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	nowhere := open(t, configFor(t, s.Address()), otherModel, dim)
	if err := nowhere.Settle(t.Context(), nil); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("where nothing serves: got %v, want %v", err, palate.ErrUnavailable)
	}
}
