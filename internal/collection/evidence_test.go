package collection_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/test/race"
)

// Of two models whose embeddings a collection has, the one goes on that was
// measured to tell the taste; where nothing is measured, or no difference is
// told, the newer one does.
func TestTheModelThatWasMeasuredToBeBetterGoesOn(t *testing.T) {
	race.Long(t)
	const images, dim = 160, 12
	blind, seeing := palate.ModelID(strings.Repeat("b0", 32)), palate.ModelID(strings.Repeat("5e", 32))
	for _, tried := range []struct {
		name      string
		strength  float64 // of the taste in what the seeing model says
		trained   []palate.ModelID
		wantServe palate.ModelID
	}{
		{"the older one is better", 2, []palate.ModelID{blind, seeing}, seeing},
		{"nothing was measured", 2, nil, blind},
		{"one was measured", 2, []palate.ModelID{seeing}, blind},
		{"both tell nothing", 0, []palate.ModelID{blind, seeing}, blind},
	} {
		t.Run(tried.name, func(t *testing.T) {
			ctx := t.Context()
			config := collection.DefaultConfig(t.TempDir(), t.TempDir())
			c, err := collection.OpenToAdopt(ctx, config, collection.Silent{}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			random := rand.New(rand.NewPCG(4, 4))
			drawn := func(lean float64) palate.Embedding {
				e := make(palate.Embedding, dim)
				var square float64
				for j := range e {
					v := random.NormFloat64()
					if j == 0 {
						v += lean
					}
					e[j], square = float32(v), square+v*v
				}
				for j := range e {
					e[j] /= float32(math.Sqrt(square))
				}
				return e
			}
			examples := map[palate.ModelID][]probe.Example{}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, m := range []palate.ModelID{seeing, blind} { // the blind one is the newer
				must(c.Catalog.PutModel(ctx, catalog.Model{ID: m, Name: string(m[:2]), Dim: dim}))
			}
			for i := range images {
				sum := sha256.Sum256(fmt.Append(nil, i))
				id, liked := palate.NewImageID(sum), i%3 == 0
				_, err := c.Catalog.AddImage(ctx, catalog.Image{ID: id, SHA256: sum, Bytes: 1, Format: "jpeg", Width: 9, Height: 9}, palate.Source{Address: fmt.Sprint("https://x.example/", i)}, nil)
				must(err)
				verdict, lean := palate.Dislike, -tried.strength
				if liked {
					verdict, lean = palate.Like, tried.strength
				}
				_, err = c.Catalog.Rate(ctx, catalog.Rating{Profile: "me", Image: id, Verdict: verdict, Shown: palate.ShownGallery})
				must(err)
				for m, e := range map[palate.ModelID]palate.Embedding{seeing: drawn(lean), blind: drawn(0)} {
					must(c.Catalog.PutEmbeddings(ctx, m, []catalog.ImageEmbedding{{ID: id, Embedding: e}}))
					examples[m] = append(examples[m], probe.Example{Image: id, Embedding: e, Liked: liked})
				}
			}
			for _, m := range tried.trained {
				settings := probe.DefaultConfig()
				settings.Resamples = 0
				learned, report, err := probe.Train(ctx, examples[m], m, settings)
				must(err)
				weights, err := learned.MarshalBinary()
				must(err)
				written, err := json.Marshal(report)
				must(err)
				summary, err := json.Marshal(report.Summary())
				must(err)
				_, err = c.Catalog.AddProbe(ctx, catalog.ProbeVersion{Profile: "me", Model: m, Weights: weights, Summary: summary, Report: written, Current: true})
				must(err)
			}
			all, err := c.Models(ctx)
			must(err)
			if len(all) != 2 || all[1].State != collection.StateServes || all[1].Model != tried.wantServe {
				t.Errorf("got %+v, want %s to serve", all, tried.wantServe.Short())
			}
		})
	}
}
