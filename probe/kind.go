package probe

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/palate-art/palate"
)

// Kind is one way to learn a taste. All kinds are judged by the same report
// on the same splits; what a kind chooses, it chooses inside each fold.
type Kind interface {
	// Name is what reports call it.
	Name() string

	// Linear reports whether what it learns is always one query vector for
	// the embeddings.
	Linear() bool

	// Serves reports whether Train makes a probe of it, which judges by the
	// embedding alone.
	Serves() bool

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
	// KNN scores by the nearness to the nearest likes less that to the nearest
	// dislikes, as a Neighbourhood does. It finds a taste that is many islands.
	KNN Kind = knn{}
	// Blend adds Logistic and KNN.
	Blend Kind = blend{}
	// Auto takes Logistic unless one of Centroid, Blend and KNN judges better,
	// by a margin, on what they had not seen; see docs/decisions.
	Auto Kind = auto{}
	// LogisticPatches is logistic regression on the embedding and the mean
	// patch token side by side.
	LogisticPatches Kind = logistic{"logistic on CLS and mean patch", sideBySide("", MeanPatch), false}

	// Prior says of every image the share of likes; it is what anything must
	// beat.
	Prior Kind = prior{}
	// Neighbours scores by the votes of the nearest examples.
	Neighbours Kind = neighbours{}
	// LogisticBaseline is logistic regression on what the built-in model
	// makes of the pictures.
	LogisticBaseline Kind = logistic{"logistic on baseline embeddings", sideBySide(Baseline), false}
)

// Kinds lists all kinds but Auto, which is one of them.
func Kinds() []Kind {
	return []Kind{Logistic, Centroid, Blend, KNN, LogisticPatches, Prior, Neighbours, LogisticBaseline}
}

// ParseKind finds a kind that can serve by its name.
func ParseKind(name string) (Kind, error) {
	var names []string
	for _, k := range append([]Kind{Auto}, Kinds()...) {
		if !k.Serves() {
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

// LogisticOn is logistic regression on named rows of the examples' Features
// side by side; the empty name is their Embedding. It is judged beside others
// and never serves.
func LogisticOn(rows ...string) Kind {
	names := slices.Clone(rows)
	for i, name := range names {
		names[i] = rowName(name)
	}
	return logistic{"logistic on " + strings.Join(names, " and "), sideBySide(rows...), false}
}

func rowName(name string) string {
	if name == "" {
		return "embedding"
	}
	return name
}

// sideBySide puts named rows one after another, scaled so that the norm stays
// 1.
func sideBySide(names ...string) func([]Example) ([][]float32, error) {
	return func(examples []Example) ([][]float32, error) {
		rows := make([][]float32, len(examples))
		for i, e := range examples {
			for _, name := range names {
				row := e.row(name)
				if len(row) == 0 {
					return nil, invalid("%v has no %s", e.named(), rowName(name))
				}
				if err := row.Validate(len(examples[0].row(name))); err != nil {
					return nil, fmt.Errorf("probe: %s of %v: %w", rowName(name), e.named(), err)
				}
				if len(names) == 1 {
					rows[i] = row
					continue
				}
				rows[i] = slices.Grow(rows[i], len(row))
				for _, x := range row {
					rows[i] = append(rows[i], x*float32(math.Sqrt(1/float64(len(names)))))
				}
			}
		}
		return rows, nil
	}
}

// row is the features of a name.
func (e Example) row(name string) palate.Embedding {
	if name == "" {
		return e.Embedding
	}
	return e.Features[name]
}
