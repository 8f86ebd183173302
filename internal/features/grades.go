package features

import (
	"context"
	"slices"
	"time"

	"github.com/palate-art/palate/probe"
)

// Graded reports whether the labels are grades, such as stars: finite numbers
// of three or more sizes that are not likes and dislikes.
func (f Files) Graded() (bool, error) {
	var values []float32
	var err error
	if f.Labels != "" {
		values, err = loadValues(f.Labels)
	} else {
		var t *Table
		if t, err = loadFeatures(f.Features); err == nil {
			values = t.values
		}
	}
	if err != nil {
		return false, err
	}
	if _, err := labelsOf(values); err == nil {
		return false, nil
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(values)))
	return len(distinct) >= 3 && distinct[0] == distinct[0], nil // NaN, which is first, is no grade
}

// EvaluateGrades judges embeddings by grades, see probe.JudgeGrades.
func (f Files) EvaluateGrades(ctx context.Context, seed int64) (*probe.GradedReport, error) {
	began := time.Now()
	t, err := loadFeatures(f.Features)
	if err != nil {
		return nil, err
	}
	values := t.values
	if f.Labels != "" {
		if values, err = loadValues(f.Labels); err != nil {
			return nil, err
		}
	}
	t.Labels, t.Artists, t.Sites = make([]bool, len(values)), nil, nil
	if err := t.check(f.Features); err != nil {
		return nil, err
	}
	grades := make([]float64, len(values))
	for i, row := range t.Rows {
		if err := normalise(row, i, f.Features); err != nil {
			return nil, err
		}
		grades[i] = float64(values[i])
	}
	r, err := probe.JudgeGrades(ctx, t.Rows, grades, seed)
	if err != nil {
		return nil, err
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}
