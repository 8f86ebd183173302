package probe

import (
	"context"
	"math"
	"strings"

	"github.com/palate-art/palate"
)

// Kind is one way to learn a taste. All kinds are judged by the same report
// on the same splits; what a kind chooses, it chooses inside each fold.
type Kind interface {
	// Name is what reports call it.
	Name() string

	// Linear reports whether what it learns is one query vector for the
	// embeddings. Only such a kind can serve.
	Linear() bool

	// features are the rows that it learns from. Examples that lack what it
	// needs are palate.ErrInvalid.
	features(examples []Example) ([][]float32, error)

	// learn makes of the named examples what predicts others, and gives the
	// logits that they get from those of the other parts.
	learn(ctx context.Context, l *learner, numbers, part []int, parts int) (*learned, []float64, error)
}

// The kinds.
var (
	// Logistic is class-weighted, L2-regularised logistic regression.
	Logistic Kind = logistic{"logistic", embeddings, true}
	// Centroid scores by the difference of the inner products with the mean
	// like and with the mean dislike.
	Centroid Kind = centroid{}
	// LogisticPatches is logistic regression on the embedding and the mean
	// patch token side by side.
	LogisticPatches Kind = logistic{"logistic on CLS and mean patch", withPatches, false}

	// Prior says of every image the share of likes; it is what anything must
	// beat.
	Prior Kind = prior{}
	// Neighbours scores by the votes of the nearest examples.
	Neighbours Kind = neighbours{}
	// LogisticBaseline is logistic regression on what the built-in model
	// makes of the pictures.
	LogisticBaseline Kind = logistic{"logistic on baseline embeddings", baselines, false}
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{Logistic, Centroid, LogisticPatches, Prior, Neighbours, LogisticBaseline}
}

// ParseKind finds a kind that can serve by its name.
func ParseKind(name string) (Kind, error) {
	var names []string
	for _, k := range Kinds() {
		if !k.Linear() {
			continue
		}
		if k.Name() == name {
			return k, nil
		}
		names = append(names, k.Name())
	}
	return nil, invalid("kind %q is none of %s", name, strings.Join(names, ", "))
}

// Available reports whether examples have what a kind needs.
func Available(k Kind, examples []Example) bool {
	_, err := k.features(examples)
	return err == nil
}

func embeddings(examples []Example) ([][]float32, error) {
	rows := make([][]float32, len(examples))
	for i, e := range examples {
		rows[i] = e.Embedding
	}
	return rows, nil
}

func baselines(examples []Example) ([][]float32, error) {
	rows := make([][]float32, len(examples))
	for i, e := range examples {
		if err := further(e, e.Baseline, examples[0].Baseline, "baseline embedding"); err != nil {
			return nil, err
		}
		rows[i] = e.Baseline
	}
	return rows, nil
}

// withPatches puts the two side by side, so that the norm stays 1.
func withPatches(examples []Example) ([][]float32, error) {
	rows := make([][]float32, len(examples))
	for i, e := range examples {
		if err := further(e, e.MeanPatch, examples[0].MeanPatch, "mean patch token"); err != nil {
			return nil, err
		}
		row := make([]float32, 0, len(e.Embedding)+len(e.MeanPatch))
		row = append(append(row, e.Embedding...), e.MeanPatch...)
		for j := range row {
			row[j] *= math.Sqrt2 / 2
		}
		rows[i] = row
	}
	return rows, nil
}

// further checks a second embedding of an example.
func further(e Example, second, first palate.Embedding, name string) error {
	if len(second) == 0 {
		return invalid("example %v has no %s", e.Image, name)
	}
	return second.Validate(len(first))
}
