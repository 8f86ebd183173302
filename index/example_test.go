package index_test

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
)

// A probe's weights are a query vector like any other.
func ExampleIndex() {
	ctx := context.Background()
	ix, err := flat.New("the model that made the embeddings", 2)
	if err != nil {
		panic(err)
	}
	defer func() { _ = ix.Close() }()
	a, b, c := palate.ImageID{1}, palate.ImageID{2}, palate.ImageID{3}
	err = ix.Upsert(ctx, []index.Point{
		{ID: a, Embedding: palate.Embedding{1, 0}, Attributes: index.Attributes{Artists: []string{"Hilma"}}},
		{ID: b, Embedding: palate.Embedding{.8, .6}},
		{ID: c, Embedding: palate.Embedding{0, 1}, Attributes: index.Attributes{Artists: []string{"Hilma"}}},
	})
	if err != nil {
		panic(err)
	}
	near, err := ix.Search(ctx, index.Query{Near: &a, Limit: 1})
	if err != nil {
		panic(err)
	}
	best, err := ix.Search(ctx, index.Query{Vector: []float32{-1, 2}, Filter: index.Filter{Artists: []string{"Hilma"}}, Limit: 2})
	if err != nil {
		panic(err)
	}
	fmt.Println(near[0].ID == b, near[0].Score)
	fmt.Println(best[0].ID == c, best[0].Score, best[1].ID == a, best[1].Score)
	// Output:
	// true 0.8
	// true 2 true -1
}
