package qdrant_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// batchesOf are the messages in which that many queries with one filter came.
func batchesOf(t *testing.T, queries int, f index.Filter) (messages []*client.QueryBatchPoints, alone int) {
	t.Helper()
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	points := randomPoints(queries)
	must(t, x.Upsert(t.Context(), points))
	var ask []index.Query
	for _, p := range points {
		ask = append(ask, index.Query{Vector: p.Embedding, Limit: 3, Filter: f})
	}
	asked := observe(s)
	found, err := x.SearchBatch(t.Context(), ask)
	must(t, err)
	for i, hits := range found {
		if len(hits) == 0 || hits[0].ID != points[i].ID {
			t.Fatalf("nearest to point %d is %v", i, hits)
		}
	}
	for _, request := range asked.of("Points/QueryBatch") {
		messages = append(messages, request.message.(*client.QueryBatchPoints))
	}
	return messages, len(asked.of("Points/Query"))
}

func TestManyQueriesGoInFewMessages(t *testing.T) {
	small, alone := batchesOf(t, 100, index.Filter{})
	if len(small) != 4 || alone != 0 {
		t.Errorf("100 queries came in %d messages and %d alone, want 4 and none", len(small), alone)
	}
	// 20,000 IDs of 38 bytes and more: no two such queries in one message of 4 MB
	// would be too few.
	many := make([]palate.ImageID, 20_000)
	for i := range many {
		many[i] = id(1000 + i)
	}
	large, alone := batchesOf(t, 10, index.Filter{NotIDs: many})
	n := alone
	for _, message := range large {
		if size := proto.Size(message); size > 5<<20 {
			t.Errorf("a message of %d bytes", size)
		}
		n += len(message.GetQueryPoints())
	}
	if n != 10 || len(large) < 2 {
		t.Errorf("%d queries in %d messages and %d alone, want 10 in several", n, len(large), alone)
	}
}

func TestFewerAnswersThanSearchesAreAnError(t *testing.T) {
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	must(t, x.Upsert(t.Context(), randomPoints(5)))
	s.Break(qdranttest.Fault{Methods: []string{"Points/QueryBatch"}, Fewer: true})
	query := index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 5}
	_, err := x.SearchBatch(t.Context(), []index.Query{query, query, query})
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "gave 2 answers to 3 searches") {
		t.Errorf("got %v", err)
	}
}

func TestABatchEndsWithItsCaller(t *testing.T) {
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	must(t, x.Upsert(t.Context(), randomPoints(5)))
	s.Break(qdranttest.Fault{Methods: []string{"Points/QueryBatch"}, Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	s.Observe(func(_ context.Context, method string, _ proto.Message) {
		if strings.HasSuffix(method, "QueryBatch") {
			cancel()
		}
	})
	ask := slices.Repeat([]index.Query{{Vector: randomPoints(1)[0].Embedding, Limit: 5}}, 100)
	if _, err := x.SearchBatch(ctx, ask); !errors.Is(err, context.Canceled) || errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("got %v, want %v alone", err, context.Canceled)
	}
}
