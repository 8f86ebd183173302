package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// Ranked is how the first page of a taste is had through an index, beside
// scoring every point in this process. Times are milliseconds.
type Ranked struct {
	Kind     string  `json:"kind"`
	Rated    int     `json:"rated"`
	K        int     `json:"k"`
	P50      float64 `json:"p50_ms"`
	Full     float64 `json:"full_ms"`
	Times    float64 `json:"times_of_full"`
	Recall   float64 `json:"recall"` // share of the page that full scoring has among its first k too
	Training float64 `json:"training_seconds"`
}

// islands is how many places there are that a drawn taste likes.
const islands = 5

// measureTastes learns a taste of islands from points drawn by chance, by each
// kind that goes by neighbours, and ranks the whole collection by it.
func measureTastes(ctx context.Context, o options, c *collection, ix index.Index, folder string) (all []Ranked, err error) {
	name := filepath.Join(folder, "taste.db")
	store, err := sqlite.Open(ctx, name, sqlite.DefaultConfig())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close(), os.Remove(name)) }()
	if err := rateIslands(ctx, o, c, store); err != nil {
		return nil, err
	}
	config := taste.DefaultConfig()
	config.Probe.Resamples, config.Probe.Folds, config.Probe.InnerFolds, config.Probe.NearDuplicates = 0, 2, 2, false
	tastes, err := taste.New(store, ix, config, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	for _, kind := range []probe.Kind{probe.KNN, probe.Blend} {
		begun := time.Now()
		training, err := tastes.BeginAs(ctx, me, kind)
		if err != nil {
			return nil, err
		}
		if _, err := training.Finish(ctx); err != nil {
			return nil, err
		}
		trained := time.Since(begun).Seconds()
		version, err := tastes.Current(ctx, me)
		if err != nil {
			return nil, err
		}
		full, took, err := scoreFully(ctx, c, version.Learned)
		if err != nil {
			return nil, err
		}
		for _, k := range []int{20, 200} {
			r := Ranked{Kind: kind.Name(), Rated: o.rated, K: k, Full: took.Seconds() * 1e3, Training: trained}
			var times []time.Duration
			for range 7 {
				begun := time.Now()
				ranking, err := tastes.Rank(ctx, me, taste.RankQuery{Limit: k})
				if err != nil {
					return nil, err
				}
				times = append(times, time.Since(begun))
				r.Recall = full.recall(ranking.Scores, k)
			}
			r.P50 = percentile(times, .5)
			r.Times = r.P50 / r.Full
			all = append(all, r)
		}
	}
	return all, nil
}

// rateIslands stores some points, and likes the quarter of them that lies
// nearest to any of the islands.
func rateIslands(ctx context.Context, o options, c *collection, store catalog.Catalog) error {
	if err := store.PutModel(ctx, catalog.Model{ID: model, Name: "bench", Dim: c.dim}); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(o.seed, 7))
	rows := r.Perm(c.points())[:islands+o.rated]
	centres, rows := rows[:islands], rows[islands:]
	nearest := make([]float64, len(rows))
	for i, row := range rows {
		nearest[i] = math.Inf(-1)
		for _, centre := range centres {
			nearest[i] = max(nearest[i], dot(c.row(row), c.row(centre)))
		}
	}
	least := slices.Sorted(slices.Values(nearest))[3*len(rows)/4]
	var embeddings []catalog.ImageEmbedding
	var ratings []catalog.Rating
	for i, row := range rows {
		point := id(row)
		if _, err := store.AddImage(ctx, catalog.Image{ID: point, SHA256: sum(row), Bytes: 1, Format: "jpeg", Width: 10, Height: 10},
			palate.Source{Address: fmt.Sprintf("https://museum.example/%d", row), Site: "museum.example"}, nil); err != nil {
			return err
		}
		embeddings = append(embeddings, catalog.ImageEmbedding{ID: point, Embedding: c.row(row)})
		verdict := palate.Dislike
		if nearest[i] >= least {
			verdict = palate.Like
		}
		ratings = append(ratings, catalog.Rating{Profile: me, Image: point, Verdict: verdict, Shown: palate.ShownGallery})
	}
	for some := range slices.Chunk(embeddings, batch) {
		if err := store.PutEmbeddings(ctx, model, some); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(ratings, 500) {
		if err := store.RateAll(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func dot(a, b []float32) (sum float64) {
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// fullScores are those of all points, by row.
type fullScores struct {
	scores []float64
	sorted []float64 // falling
}

// scoreFully scores every point on all processors.
func scoreFully(ctx context.Context, c *collection, learned *probe.Probe) (fullScores, time.Duration, error) {
	f := fullScores{scores: make([]float64, c.points())}
	begun := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < c.points(); from += batch {
		group.Go(func() error {
			var ids []palate.ImageID
			var embeddings []palate.Embedding
			for i := from; i < min(from+batch, c.points()); i++ {
				ids, embeddings = append(ids, id(i)), append(embeddings, c.row(i))
			}
			copy(f.scores[from:], learned.ScoresOf(ids, embeddings))
			return ctx.Err()
		})
	}
	err := group.Wait()
	took := time.Since(begun)
	f.sorted = slices.Clone(f.scores)
	slices.Sort(f.sorted)
	slices.Reverse(f.sorted)
	return f, took, err
}

// recall is the share of a page whose points full scoring has among the first k
// too; equal scores are equally good.
func (f fullScores) recall(page []taste.Score, k int) float64 {
	found := 0
	for _, s := range page {
		if f.scores[rowOf(s.Image)] >= f.sorted[k-1]-1e-6 {
			found++
		}
	}
	return float64(found) / float64(k)
}
