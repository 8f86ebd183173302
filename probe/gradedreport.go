package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// gradedFolds is how many parts JudgeGrades cuts the works into.
const gradedFolds = 5

// FewestGraded is how many works JudgeGrades wants.
const FewestGraded = 10

// GradedReport says how well grades are told from embeddings.
type GradedReport struct {
	Pictures int     `json:"pictures"`
	Works    int     `json:"works"` // copies of one work count once
	Grades   int     `json:"grades"`
	Lowest   float64 `json:"lowest"`
	Highest  float64 `json:"highest"`
	// Rho is Spearman's of the grades of works with what was expected of them
	// by folds that had not seen them; Low and High are its 95 % interval, of
	// judge.SpearmanInterval.
	Rho     float64 `json:"rho"`
	Low     float64 `json:"rho_low"`
	High    float64 `json:"rho_high"`
	Seconds float64 `json:"seconds"`
}

// JudgeGrades cuts works into five parts and foretells the grades of each from
// the others, with FitGrades. Rows have norm 1 and are read only; seed draws
// the parts. Fewer than FewestGraded works, and grades that are all the same,
// are palate.ErrConflict.
func JudgeGrades(ctx context.Context, rows [][]float32, grades []float64, seed int64) (*GradedReport, error) {
	if len(rows) != len(grades) || len(rows) == 0 {
		return nil, invalid("%d rows and %d grades, want as many of both", len(rows), len(grades))
	}
	ratings := make([]Rating, len(grades))
	for i, g := range grades {
		ratings[i] = Rating{Row: i, Grade: g}
	}
	numbers, err := worksOf(ctx, rows, ratings)
	if err != nil {
		return nil, err
	}
	works := gather(rows, numbers, ratings)[0]
	distinct := slices.Compact(slices.Sorted(slices.Values(grades)))
	r := &GradedReport{Pictures: len(rows), Works: len(works.rows), Grades: len(distinct), Lowest: distinct[0], Highest: distinct[len(distinct)-1]}
	if r.Works < FewestGraded || slices.Min(works.grades) == slices.Max(works.grades) {
		return nil, fmt.Errorf("%d graded works with grades from %v to %v, want %d or more that differ (rows that show one work count once): %w",
			r.Works, r.Lowest, r.Highest, FewestGraded, palate.ErrConflict)
	}
	order := rand.New(rand.NewPCG(uint64(seed), 0)).Perm(r.Works)
	expected := make([]float64, r.Works)
	for fold := range gradedFolds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var learned, held []int
		for at, work := range order {
			if at%gradedFolds == fold {
				held = append(held, work)
			} else {
				learned = append(learned, work)
			}
		}
		fitted, err := FitGrades(works.at(learned))
		if err != nil {
			return nil, err
		}
		for _, i := range held {
			expected[i] = fitted.order(works.rows[i])
		}
	}
	r.Rho, r.Low, r.High, err = judge.SpearmanInterval(expected, works.grades)
	return r, err
}
