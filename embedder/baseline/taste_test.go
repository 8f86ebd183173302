package baseline_test

import (
	"bytes"
	"context"
	"image"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

// gallery embeds a small museum: one embedding and one style per picture.
func gallery(t *testing.T, pictures int) ([]palate.Embedding, []museum.Style) {
	t.Helper()
	config := museum.DefaultConfig()
	config.Pictures = pictures
	m, err := museum.New(config)
	if err != nil {
		t.Fatal(err)
	}
	var source iter.Seq2[embedder.Item, error] = func(yield func(embedder.Item, error) bool) {
		for _, work := range m.Works() {
			open := func(_ context.Context, use func(image.Image) error) error {
				file, err := m.File(work.Index)
				if err != nil {
					return err
				}
				img, _, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
				if err != nil {
					return err
				}
				return use(img)
			}
			if !yield(embedder.Item{Open: open}, nil) {
				return
			}
		}
	}
	var embeddings []palate.Embedding
	stats, err := embedder.Run(context.Background(), open(t), embedder.DefaultPipelineConfig(), source, func(r embedder.Result) error {
		embeddings = append(embeddings, r.Embedding)
		return r.Err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pictures: %.1f/s with drawing; decode %v, prepare %v, infer %v", stats.Embedded, stats.Rate(), stats.Decode, stats.Prepare, stats.Infer)
	var styles []museum.Style
	for _, work := range m.Works() {
		styles = append(styles, work.Style)
	}
	return embeddings, styles
}

func TestStylesAreToldApart(t *testing.T) {
	race.Long(t)
	embeddings, styles := gallery(t, galleryPictures)
	t.Run("a linear probe learns a visitor's taste", func(t *testing.T) { tastes(t, embeddings, styles) })
	t.Run("neighbours share their style", func(t *testing.T) { neighbours(t, embeddings, styles) })
}

// A visitor likes three of ten styles and contradicts that in 8 % of the
// ratings; a linear probe finds what else they would like.
func tastes(t *testing.T, embeddings []palate.Embedding, styles []museum.Style) {
	var aucs []float64
	for seed := range int64(10) {
		v := museum.NewVisitor(seed, museum.Styles(), 3, 0.08)
		rated := map[int]bool{}
		var x []palate.Embedding
		var liked []bool
		for _, i := range v.Choose(len(styles), ratingsPerGallery) {
			says, _ := v.Says(styles[i])
			rated[i] = true
			x, liked = append(x, embeddings[i]), append(liked, says)
		}
		w := logistic(x, liked)
		var good, bad []float64
		for i, e := range embeddings {
			switch {
			case rated[i]:
			case v.Likes(styles[i]):
				good = append(good, score(w, e))
			default:
				bad = append(bad, score(w, e))
			}
		}
		aucs = append(aucs, auc(good, bad))
	}
	slices.Sort(aucs)
	t.Logf("AUC of the visitors: %.3f", aucs)
	if aucs[1] < wantWorstButOne || aucs[5] < wantMedian {
		t.Errorf("got AUC %.3f, want nine of ten at %v or more and half at %v", aucs, wantWorstButOne, wantMedian)
	}
}

func neighbours(t *testing.T, embeddings []palate.Embedding, styles []museum.Style) {
	hits, total := 0, 0
	for i, e := range embeddings {
		var best []int
		for j := range embeddings {
			if j != i {
				best = append(best, j)
			}
		}
		slices.SortFunc(best, func(a, b int) int {
			if score(embeddings[a], e) > score(embeddings[b], e) {
				return -1
			}
			return 1
		})
		for _, j := range best[:5] {
			total++
			if styles[i] == styles[j] {
				hits++
			}
		}
	}
	// By chance it would be one in ten.
	if precision := float64(hits) / float64(total); precision < wantPrecisionAt5 {
		t.Errorf("got precision at 5 of %.3f, want at least %v", precision, wantPrecisionAt5)
	} else {
		t.Logf("precision at 5: %.3f", precision)
	}
}

func score(w []float32, e palate.Embedding) float64 {
	var sum float64
	for i, v := range e {
		sum += float64(w[i]) * float64(v)
	}
	return sum
}

// logistic is class-weighted logistic regression with a little L2, by
// Nesterov's gradient descent. The weights are a sum of the examples, so the
// steps are taken on its coefficients; the last one is the intercept.
func logistic(x []palate.Embedding, y []bool) []float32 {
	const strength, rate = 1e-3, 1.9
	n := len(x)
	products := make([]float64, n*n)
	positives := 0
	for i, a := range x {
		for j, b := range x {
			products[i*n+j] = score(a, b)
		}
		if y[i] {
			positives++
		}
	}
	c, ahead, gradient := make([]float64, n+1), make([]float64, n+1), make([]float64, n+1)
	for step := range 400 {
		gradient[n] = 0
		for i := range x {
			f, target, weight := ahead[n], 0.0, 0.5/float64(n-positives)
			if y[i] {
				target, weight = 1, 0.5/float64(positives)
			}
			for j, p := range products[i*n:][:n] {
				f += ahead[j] * p
			}
			slope := weight * (1/(1+math.Exp(-f)) - target)
			gradient[i] = slope + strength*ahead[i]
			gradient[n] += slope
		}
		for j := range c {
			next := ahead[j] - rate*gradient[j]
			ahead[j] = next + float64(step)/float64(step+3)*(next-c[j])
			c[j] = next
		}
	}
	w := make([]float32, len(x[0]))
	for i, e := range x {
		for j, v := range e {
			w[j] += float32(c[i]) * v
		}
	}
	return w // the intercept changes no order
}

// auc is the chance that a good one scores above a bad one.
func auc(good, bad []float64) float64 {
	var above float64
	for _, g := range good {
		for _, b := range bad {
			if g > b {
				above++
			} else if g == b {
				above += 0.5
			}
		}
	}
	return above / float64(len(good)*len(bad))
}
