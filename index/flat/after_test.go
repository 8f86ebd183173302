package flat_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
)

// Whoever pages through what is not judged yet, and judges, must neither miss
// a picture nor see one twice. Counting from the best does: what was judged
// no longer counts, and as many are passed over.
func TestPagesGoOnWhereTheyWereWhileHitsGo(t *testing.T) {
	const dim, n, page = 24, 3000, 50
	r := rand.New(rand.NewPCG(8, 1))
	var points []index.Point
	for i := range n {
		points = append(points, index.Point{ID: palate.ImageID{1, byte(i >> 8), byte(i)}, Embedding: unit(r, dim)})
	}
	x, err := flat.New("m", dim)
	if err == nil {
		err = x.Upsert(t.Context(), points)
	}
	if err != nil {
		t.Fatal(err)
	}
	q := index.Query{Vector: unit(r, dim), Limit: page, Filter: index.Filter{NotJudgedBy: "me"}}
	var want, got []index.Hit
	for everything := (index.Query{Vector: q.Vector, Limit: index.MaxLimit}); len(want) < n; everything.Offset += everything.Limit {
		hits, err := x.Search(t.Context(), everything)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, hits...)
	}
	for {
		hits, err := x.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, hits...)
		if len(hits) < page {
			break
		}
		q.After, q.Offset = &hits[page-1], len(got)
		var judged []index.Judgement
		for _, hit := range hits {
			if r.IntN(2) == 0 {
				judged = append(judged, index.Judgement{ID: hit.ID, Profile: "me", Verdict: palate.Like})
			}
		}
		if err := x.Judge(t.Context(), judged); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d hits, want all %d in their order", len(got), len(want))
	}
}

func unit(r *rand.Rand, dim int) palate.Embedding {
	e := make(palate.Embedding, dim)
	var square float64
	for i := range e {
		e[i] = float32(r.NormFloat64())
		square += float64(e[i]) * float64(e[i])
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(square))
	}
	return e
}
