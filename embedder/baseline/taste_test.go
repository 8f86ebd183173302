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
			open := func(context.Context) (image.Image, error) {
				file, err := m.File(work.Index)
				if err != nil {
					return nil, err
				}
				img, _, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
				return img, err
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
	embeddings, styles := gallery(t, 220)
	t.Run("a linear probe learns a visitor's taste", func(t *testing.T) { tastes(t, embeddings, styles) })
	t.Run("neighbours share their style", func(t *testing.T) { neighbours(t, embeddings, styles) })
}

// A visitor likes three of ten styles and contradicts that in 8 % of 120
// ratings; a linear probe finds what else they would like.
func tastes(t *testing.T, embeddings []palate.Embedding, styles []museum.Style) {
	var aucs []float64
	for seed := range int64(10) {
		v := museum.NewVisitor(seed, museum.Styles(), 3, 0.08)
		rated := map[int]bool{}
		var x []palate.Embedding
		var liked []bool
		for _, i := range v.Choose(len(styles), 120) {
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
	t.Logf("AUC of ten visitors: %.3f", aucs)
	if aucs[1] < 0.9 || aucs[5] < 0.95 {
		t.Errorf("got AUC %.3f, want nine of ten at .9 or more and half at .95", aucs)
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
	if precision := float64(hits) / float64(total); precision < 0.8 {
		t.Errorf("got precision at 5 of %.3f, want at least .8", precision)
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
// Nesterov's gradient descent; the last weight is the intercept.
func logistic(x []palate.Embedding, y []bool) []float32 {
	const strength, rate = 1e-3, 1.9
	dim := len(x[0])
	w, ahead := make([]float64, dim+1), make([]float64, dim+1)
	positives := 0
	for _, v := range y {
		if v {
			positives++
		}
	}
	for step := range 400 {
		gradient := make([]float64, dim+1)
		for j := range dim {
			gradient[j] = strength * ahead[j]
		}
		for i, e := range x {
			f, target, weight := ahead[dim], 0.0, 0.5/float64(len(x)-positives)
			if y[i] {
				target, weight = 1, 0.5/float64(positives)
			}
			for j, v := range e {
				f += ahead[j] * float64(v)
			}
			slope := weight * (1/(1+math.Exp(-f)) - target)
			for j, v := range e {
				gradient[j] += slope * float64(v)
			}
			gradient[dim] += slope
		}
		for j := range w {
			next := ahead[j] - rate*gradient[j]
			ahead[j] = next + float64(step)/float64(step+3)*(next-w[j])
			w[j] = next
		}
	}
	narrow := make([]float32, len(w))
	for i, v := range w {
		narrow[i] = float32(v)
	}
	return narrow
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
