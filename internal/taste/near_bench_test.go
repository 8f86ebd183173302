package taste_test

import (
	"encoding/binary"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// BenchmarkNeighbours ranks 100,000 pictures of 400 styles by 1,000 ratings,
// and tells the time of scoring all of them as a multiple of that, and the
// share of the best 100 that was found.
func BenchmarkNeighbours(b *testing.B) {
	const pictures, dim, styles, rated = 100_000, 384, 400, 1000
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(centre palate.Embedding) palate.Embedding {
		e := make(palate.Embedding, dim)
		var square float64
		for j := range e {
			v := random.NormFloat64()
			if centre != nil {
				v = v*.04 + float64(centre[j])
			}
			e[j] = float32(v)
			square += v * v
		}
		for j := range e {
			e[j] /= float32(math.Sqrt(square))
		}
		return e
	}
	centres := make([]palate.Embedding, styles)
	for i := range centres {
		centres[i] = draw(nil)
	}
	ix, err := flat.New(model, dim)
	if err != nil {
		b.Fatal(err)
	}
	defer ix.Close()
	points := make([]index.Point, pictures)
	examples := make([]probe.Example, rated)
	for i := range points {
		style := random.IntN(styles)
		binary.BigEndian.PutUint32(points[i].ID[:], uint32(i+1))
		points[i].Embedding = draw(centres[style])
		if i < rated {
			examples[i] = probe.Example{Image: points[i].ID, Embedding: points[i].Embedding, Liked: style < styles/4}
		}
	}
	for chunk := range slices.Chunk(points, 1000) {
		if err := ix.Upsert(b.Context(), chunk); err != nil {
			b.Fatal(err)
		}
	}
	config := probe.DefaultConfig()
	config.Kind, config.Resamples, config.NearDuplicates = probe.KNN, 0, false
	learned, _, err := probe.Train(b.Context(), examples, model, config)
	if err != nil {
		b.Fatal(err)
	}
	tastes, err := taste.New(nil, ix, taste.DefaultConfig(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	whole := make([]float64, pictures)
	for i, p := range points {
		whole[i] = learned.ScoreOf(p.ID, p.Embedding)
	}
	all := time.Since(begun)
	least := slices.Sorted(slices.Values(whole))[pictures-100]
	found := 0
	for b.Loop() {
		scores, err := tastes.RankNear(b.Context(), taste.Version{Learned: learned}, taste.RankQuery{Limit: 100})
		if err != nil {
			b.Fatal(err)
		}
		found = 0
		for _, s := range scores {
			if s.Logit >= least-1e-6 {
				found++
			}
		}
	}
	b.ReportMetric(all.Seconds()/(b.Elapsed().Seconds()/float64(b.N)), "x-faster-than-all")
	b.ReportMetric(float64(found)/100, "recall@100")
}
