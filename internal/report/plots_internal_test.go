package report

import (
	"slices"
	"testing"

	"gonum.org/v1/plot/plotter"

	"github.com/palate-art/palate/probe/judge"
)

// A picture that is disliked stands at the top, and others between: the curve
// begins where the first like is found, with one precision for each recall.
func TestPrecisionHasNoZigzagAtRecallZero(t *testing.T) {
	points, err := judge.PrecisionRecall([]float64{.9, .8, .7, .6, .5}, []bool{false, true, false, true, false})
	if err != nil {
		t.Fatal(err)
	}
	want := plotter.XYs{{X: 0, Y: .5}, {X: .5, Y: .5}, {X: 1, Y: .5}}
	if got := precisionLine(points); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := precisionLine(nil); len(got) > 0 {
		t.Errorf("of nothing: got %v", got)
	}
}
