package probe_test

import (
	"math"
	"testing"

	"github.com/palate-art/palate/probe"
)

// What auto takes, by how much each place is better than another.
func TestAutoChoosesByEvidence(t *testing.T) {
	type evidence struct{ line, blend, near, error float64 } // AUCs and the standard error of every difference
	for name, c := range map[string]struct {
		evidence
		works       int
		kind        string
		least, most float64 // share of logistic regression in a blend
	}{
		"a line is surely better":         {evidence{.9, .85, .8, .02}, 200, "logistic", 0, 0},
		"neighbours are surely better":    {evidence{.6, .7, .8, .02}, 200, "knn", 0, 0},
		"all are the same, surely":        {evidence{.9, .902, .902, .001}, 200, "logistic", 0, 0},
		"all are perfect":                 {evidence{1, 1, 1, 0}, 200, "logistic", 0, 0},
		"all are perfect so far":          {evidence{1, 1, 1, 0}, 40, "blend", .25, .35},
		"nothing is known":                {evidence{math.NaN(), math.NaN(), math.NaN(), math.NaN()}, 200, "blend", .5, .5},
		"equal, but who knows":            {evidence{.7, .7, .7, .1}, 200, "blend", .25, .35},
		"a line is better by half a step": {evidence{.75, .7, .7, .1}, 200, "blend", .49, .51},
		"a line is somewhat better":       {evidence{.8, .75, .7, .1}, 200, "blend", .65, .72},
		"together they know more":         {evidence{.7, .9, .8, .02}, 200, "blend", .5, .5},
	} {
		aucs := []float64{c.line, 0, c.blend, c.near}
		kind, share := probe.Choose(c.works, func(k, other int) (float64, float64) { return aucs[k] - aucs[other], c.error })
		if kind != c.kind || share < c.least || share > c.most {
			t.Errorf("%s: %s with a share of %.3f, want %s of %v to %v", name, kind, share, c.kind, c.least, c.most)
		}
	}
}
