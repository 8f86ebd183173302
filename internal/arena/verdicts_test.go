package arena_test

import (
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/arena"
)

func TestVerdictsSayWhatFollows(t *testing.T) {
	cell := func(method string, auc, low float64) arena.Cell {
		return arena.Cell{Model: "tiny", Method: method, Seconds: 1, Metrics: map[string]arena.Value{"auc": {Value: auc, Low: low, High: auc + .05}}}
	}
	for name, tc := range map[string]struct {
		probe, tuned  arena.Cell
		difference, p float64
		says          []string
	}{
		"worth it":        {cell("probe", .7, .65), cell("finetune full", .8, .75), .1, .001, []string{"fine-tuning tiny (full) is better than the probe on it", "the best of all is tiny by finetune full"}},
		"worse":           {cell("probe", .8, .75), cell("finetune full", .7, .65), -.1, .001, []string{"the probe on tiny is better than fine-tuning tiny (full)", "the best of all is tiny by probe"}},
		"not told apart":  {cell("probe", .8, .75), cell("finetune full", .81, .76), .01, .4, []string{"the probe on tiny is as good as fine-tuning", "not told apart from it"}},
		"nothing learned": {cell("probe", .55, .48), cell("finetune full", .56, .47), .01, .4, []string{"neither the probe on tiny nor fine-tuning it (full) is told apart from chance: their AUC is 0.550 [0.480, 0.600]", "no model and method is told apart from chance"}},
		"one by chance":   {cell("probe", .55, .48), cell("finetune full", .7, .65), .15, .001, []string{"fine-tuning tiny (full) is better", "the best of all is tiny by finetune full"}},
	} {
		cells := []arena.Cell{tc.probe, tc.tuned}
		if tc.tuned.Metrics["auc"].Value > tc.probe.Metrics["auc"].Value {
			cells = []arena.Cell{tc.tuned, tc.probe}
		}
		got := arena.Verdicts(&arena.Report{Cells: cells, Pairs: []arena.Pair{{First: "tiny, finetune full", Second: "tiny, probe", Difference: tc.difference, P: tc.p}}})
		if len(got) != len(tc.says) {
			t.Fatalf("%s: got %q", name, got)
		}
		for i, want := range tc.says {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: got %q, want that it says %q", name, got[i], want)
			}
		}
	}
}
