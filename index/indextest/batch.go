package indextest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// batch asks several queries together and holds each answer against the model's.
func (t *trial) batch(what string, queries ...index.Query) {
	t.Helper()
	got, err := t.ix.SearchBatch(t.Context(), queries)
	t.ok(what, err)
	if len(got) != len(queries) {
		t.Fatalf("%s: %d answers to %d queries", what, len(got), len(queries))
	}
	for i, q := range queries {
		t.compare(fmt.Sprintf("%s, query %d", what, i), q, got[i], t.want.rank(q))
	}
}

func testBatch(t *testing.T, s Subject) {
	const dim, n = 16, 150
	r := random(19)
	x := begin(t, s, dim, points(r, n, dim)...)
	x.batch("no queries")
	x.batch("one", index.Query{Vector: spread(r, dim), Limit: 7})
	var along []index.Query // more than any implementation takes at a time
	for range 90 {
		along = append(along, index.Query{Vector: spread(r, dim), Limit: 20})
	}
	x.batch("many", along...)
	for i := range along {
		along[i].Filter = index.Filter{NotJudgedBy: "me", NotIDs: ids(1, 2, 3)}
	}
	x.batch("many with one filter", along...)
	least := float32(.1)
	for range 5 {
		var mixed []index.Query
		for range 20 {
			near := id(r.IntN(n))
			mixed = append(mixed,
				index.Query{Vector: spread(r, dim), Limit: 1 + r.IntN(30), Offset: r.IntN(40), Filter: filter(r, .2, n)},
				index.Query{Near: &near, Limit: 1 + r.IntN(200)},
				index.Query{Examples: &index.Examples{Positive: ids(r.IntN(n), r.IntN(n)), Negative: ids(r.IntN(n))}, Limit: 5, Filter: filter(r, .2, n)},
				index.Query{Vector: spread(r, dim), Limit: 50, Threshold: &least},
				index.Query{Vector: spread(r, dim), Limit: 10, Filter: index.Filter{IDs: ids()}})
		}
		mixed[3].Collapse, mixed[50].Collapse = .99, .95
		x.batch("of every kind", mixed...)
	}
	page := index.Query{Vector: spread(r, dim), Limit: 10, Offset: 20}
	x.goOn(&page)
	x.batch("pages that go on", page, page)
}

func testBadBatch(t *testing.T, s Subject) {
	x := begin(t, s, 4, points(random(20), 5, 4)...)
	good, gone := index.Query{Vector: axis(4, 0), Limit: 3}, id(99)
	_, err := x.ix.SearchBatch(t.Context(), []index.Query{good, {Vector: axis(4, 0)}, good})
	x.wantKind("one without a limit", err, palate.ErrInvalid)
	if err != nil && !strings.Contains(err.Error(), "search 2 of 3") {
		t.Errorf("got %q, want it to say which one", err)
	}
	_, err = x.ix.SearchBatch(t.Context(), []index.Query{good, good, {Near: &gone, Limit: 1}})
	x.wantKind("one near what is not there", err, palate.ErrNotFound)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, queries := range [][]index.Query{nil, {good}, {good, good}} {
		if _, err := x.ix.SearchBatch(ctx, queries); err == nil {
			t.Errorf("a batch of %d with a cancelled context succeeds", len(queries))
		}
	}
	x.batch("after bad ones", good, good)
}
