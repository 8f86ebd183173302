package taste_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/taste"
)

const dim = 24

var model = palate.ModelID(strings.Repeat("a1", 32))

// fixture is a collection of pictures in six styles, the first two of which
// are liked, with real parts below.
type fixture struct {
	catalog  *sqlite.Catalog
	index    *flat.Index
	follower *ingest.Follower
	tastes   *taste.Tastes
	ids      []palate.ImageID
	style    map[palate.ImageID]int
	vector   map[palate.ImageID]palate.Embedding
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newFixture(t *testing.T, pictures int, change func(*taste.Config)) *fixture {
	t.Helper()
	ctx, quiet := t.Context(), slog.New(slog.DiscardHandler)
	c, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "catalog.db"), sqlite.DefaultConfig())
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	must(t, c.PutModel(ctx, catalog.Model{ID: model, Name: "test", Dim: dim}))
	ix, err := flat.New(model, dim)
	must(t, err)
	f := &fixture{catalog: c, index: ix, follower: ingest.NewFollower(c, ix, "", quiet),
		style: make(map[palate.ImageID]int), vector: make(map[palate.ImageID]palate.Embedding)}
	f.tastes = newTastes(t, f, change)
	random := rand.New(rand.NewPCG(1, 1))
	var centres [6]palate.Embedding
	for s := range centres {
		centres[s] = unit(random, nil, 1)
	}
	for i := range pictures {
		f.add(t, i, i%6, unit(random, centres[i%6], .15))
	}
	f.follow(t)
	return f
}

func newTastes(t *testing.T, f *fixture, change func(*taste.Config)) *taste.Tastes {
	t.Helper()
	config := taste.DefaultConfig()
	config.Probe.Resamples = 20
	config.LookEvery = 5 * time.Millisecond
	if change != nil {
		change(&config)
	}
	tastes, err := taste.New(f.catalog, f.index, config, slog.New(slog.DiscardHandler))
	must(t, err)
	tastes.ScoreWholeUpTo(0) // what the index gives is tested
	return tastes
}

// unit draws a direction, or one around a centre.
func unit(random *rand.Rand, centre palate.Embedding, spread float64) palate.Embedding {
	e := make(palate.Embedding, dim)
	var square float64
	for j := range e {
		v := spread * random.NormFloat64()
		if centre != nil {
			v += float64(centre[j])
		}
		e[j] = float32(v)
		square += v * v
	}
	for j := range e {
		e[j] /= float32(math.Sqrt(square))
	}
	return e
}

func (f *fixture) add(t *testing.T, i, style int, e palate.Embedding) palate.ImageID {
	t.Helper()
	ctx, sum := t.Context(), sha256.Sum256(fmt.Append(nil, "picture ", i))
	id := palate.NewImageID(sum)
	_, err := f.catalog.AddImage(ctx, catalog.Image{ID: id, SHA256: sum, Bytes: 1, Format: "jpeg", Width: 10, Height: 10},
		palate.Source{Address: fmt.Sprintf("https://x.example/%d", i), Site: "x.example", Artist: fmt.Sprintf("artist %d", i%7)}, nil)
	must(t, err)
	must(t, f.catalog.PutEmbeddings(ctx, model, []catalog.ImageEmbedding{{ID: id, Embedding: e}}))
	f.ids, f.style[id], f.vector[id] = append(f.ids, id), style, e
	return id
}

func (f *fixture) follow(t *testing.T) {
	t.Helper()
	_, err := f.follower.CatchUp(t.Context())
	must(t, err)
}

// verdict is what the person thinks of a picture.
func (f *fixture) verdict(id palate.ImageID) palate.Verdict {
	if f.style[id] < 2 {
		return palate.Like
	}
	return palate.Dislike
}

func (f *fixture) rate(t *testing.T, p palate.Profile, ids ...palate.ImageID) {
	t.Helper()
	for _, id := range ids {
		_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: p, Image: id, Verdict: f.verdict(id), Shown: palate.ShownGallery})
		must(t, err)
	}
	f.follow(t)
}

func (f *fixture) train(t *testing.T, p palate.Profile) taste.Outcome {
	t.Helper()
	outcome, err := f.tastes.Train(t.Context(), p)
	must(t, err)
	return outcome
}

// runUntil lets trainings start by themselves until done holds, or for a while
// in which it must not.
func (f *fixture) runUntil(t *testing.T, done func() bool, atMost time.Duration) bool {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), atMost)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- f.tastes.Run(ctx) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			<-ended
			return done()
		case <-tick.C:
			if done() {
				stop()
				<-ended
				return true
			}
		}
	}
}
