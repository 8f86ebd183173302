package taste_test

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// BenchmarkQueue asks for ten pictures of 20,000 where 5,000 are rated, for a
// taste that is a line and for one that goes by neighbours, and tells what that
// costs as a multiple of what a page of 20 neighbours does, measured in turns.
func BenchmarkQueue(b *testing.B) {
	const pictures, rated, dim = 20_000, 5_000, 384
	ctx, quiet := b.Context(), slog.New(slog.DiscardHandler)
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	c, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "catalog.db"), sqlite.DefaultConfig())
	must(err)
	defer c.Close()
	must(c.PutModel(ctx, catalog.Model{ID: model, Name: "test", Dim: dim}))
	random := rand.New(rand.NewPCG(1, 2))
	centres := make([]palate.Embedding, 60)
	for i := range centres {
		centres[i] = around(random, dim, nil)
	}
	var ids []palate.ImageID
	var embeddings []catalog.ImageEmbedding
	var ratings []catalog.Rating
	for i := range pictures {
		style, sum := random.IntN(len(centres)), sha256.Sum256(fmt.Append(nil, "picture ", i))
		id := palate.NewImageID(sum)
		_, err := c.AddImage(ctx, catalog.Image{ID: id, SHA256: sum, Bytes: 1, Format: "jpeg", Width: 10, Height: 10},
			palate.Source{Address: fmt.Sprintf("https://x.example/%d", i), Site: "x.example"}, nil)
		must(err)
		ids = append(ids, id)
		embeddings = append(embeddings, catalog.ImageEmbedding{ID: id, Embedding: around(random, dim, centres[style])})
		if i < rated {
			verdict := palate.Dislike
			if style < len(centres)/5 {
				verdict = palate.Like
			}
			ratings = append(ratings, catalog.Rating{Profile: "me", Image: id, Verdict: verdict, Shown: palate.ShownGallery})
		}
	}
	for chunk := range slices.Chunk(embeddings, 1000) {
		must(c.PutEmbeddings(ctx, model, chunk))
	}
	for chunk := range slices.Chunk(ratings, 500) {
		must(c.RateAll(ctx, chunk))
	}
	ix, err := flat.New(model, dim)
	must(err)
	defer ix.Close()
	_, err = ingest.NewFollower(c, ix, "", quiet).CatchUp(ctx)
	must(err)
	config := taste.DefaultConfig()
	config.Probe.Resamples, config.Probe.Folds, config.Probe.InnerFolds, config.Probe.NearDuplicates = 0, 2, 2, false
	tastes, err := taste.New(c, ix, config, quiet)
	must(err)
	for _, kind := range []probe.Kind{probe.Logistic, probe.KNN} {
		training, err := tastes.BeginAs(ctx, "me", kind)
		must(err)
		_, err = training.Finish(ctx)
		must(err)
		b.Run(kind.Name(), func(b *testing.B) {
			var queue, neighbours []time.Duration
			for b.Loop() {
				begun := time.Now()
				q, err := tastes.Queue(b.Context(), "me", 10)
				if err != nil || len(q.Choices) != 10 {
					b.Fatal(len(q.Choices), err)
				}
				queue = append(queue, time.Since(begun))
				begun = time.Now()
				near := ids[random.IntN(len(ids))]
				if _, err := c.Image(b.Context(), near); err != nil {
					b.Fatal(err)
				}
				hits, err := ix.Search(b.Context(), index.Query{Near: &near, Limit: 20})
				if err != nil {
					b.Fatal(err)
				}
				some := make([]palate.ImageID, len(hits))
				for i, hit := range hits {
					some[i] = hit.ID
				}
				if _, err := c.ImagesByID(b.Context(), some); err != nil {
					b.Fatal(err)
				}
				neighbours = append(neighbours, time.Since(begun))
			}
			middle := func(of []time.Duration) float64 { return slices.Sorted(slices.Values(of))[len(of)/2].Seconds() * 1e3 }
			b.ReportMetric(middle(queue), "queue-p50-ms")
			b.ReportMetric(middle(neighbours), "neighbours-p50-ms")
			b.ReportMetric(middle(queue)/middle(neighbours), "x-neighbours")
		})
	}
}

// around draws a direction, or one around a centre.
func around(random *rand.Rand, dim int, centre palate.Embedding) palate.Embedding {
	e := make(palate.Embedding, dim)
	var square float64
	for j := range e {
		e[j] = float32(random.NormFloat64())
		if centre != nil {
			e[j] = .04*e[j] + centre[j]
		}
		square += float64(e[j]) * float64(e[j])
	}
	for j := range e {
		e[j] /= float32(math.Sqrt(square))
	}
	return e
}
