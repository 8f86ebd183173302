package index

import (
	"errors"
	"fmt"
	"math"

	"github.com/palate-art/palate"
)

// Validate reports everything that is wrong with a query to an index of that
// dimension, as palate.ErrInvalid.
func (q Query) Validate(dim int) error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("query: "+format+": %w", append(args, palate.ErrInvalid)...))
	}
	given := 0
	if q.Vector != nil {
		given++
		if err := ValidateVector(q.Vector, dim); err != nil {
			problems = append(problems, fmt.Errorf("query: %w", err))
		}
	}
	if q.Near != nil {
		given++
	}
	if q.Examples != nil {
		given++
		if len(q.Examples.Positive) == 0 {
			wrong("examples without a positive one")
		}
	}
	if given != 1 {
		wrong("%d of Vector, Near and Examples are given, want one", given)
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		wrong("limit is %d, want 1 to %d", q.Limit, MaxLimit)
	}
	if q.Offset < 0 || q.Offset > MaxOffset {
		wrong("offset is %d, want 0 to %d", q.Offset, MaxOffset)
	}
	if q.After != nil && math.IsNaN(float64(q.After.Score)) {
		wrong("the score of the hit to go on after is NaN")
	}
	if q.Collapse != 0 && !(q.Collapse >= MinCollapse && q.Collapse <= MaxCollapse) { // NaN too
		wrong("collapse is %v, want 0 or %v to %v", q.Collapse, MinCollapse, MaxCollapse)
	}
	if q.Threshold != nil && math.IsNaN(float64(*q.Threshold)) {
		wrong("threshold is NaN")
	}
	return errors.Join(problems...)
}

// ValidateAll reports the first of several queries that is wrong, as
// palate.ErrInvalid.
func ValidateAll(queries []Query, dim int) error {
	for i, q := range queries {
		if err := q.Validate(dim); err != nil {
			return fmt.Errorf("search %d of %d: %w", i+1, len(queries), err)
		}
	}
	return nil
}

// ValidateVector reports whether a vector can be scored against embeddings
// of that dimension: its length fits, it has no NaN or infinity, and it is not
// zero. Its error is palate.ErrInvalid.
func ValidateVector(vector []float32, dim int) error {
	if len(vector) != dim {
		return fmt.Errorf("vector has %d values, the index has %d: %w", len(vector), dim, palate.ErrInvalid)
	}
	zero := true
	for i, v := range vector {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("vector value %d is %v: %w", i, v, palate.ErrInvalid)
		}
		zero = zero && v == 0
	}
	if zero {
		return fmt.Errorf("vector is zero: %w", palate.ErrInvalid)
	}
	return nil
}

// ValidatePoints reports the first point that can't be stored in an index of
// that dimension, as palate.ErrInvalid.
func ValidatePoints(points []Point, dim int) error {
	for _, p := range points {
		if err := p.Embedding.Validate(dim); err != nil {
			return fmt.Errorf("point %s: %w", p.ID, err)
		}
	}
	return nil
}
