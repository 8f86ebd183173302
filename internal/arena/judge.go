package arena

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/palate-art/palate/probe/judge"
)

// Value is a metric with its 95 % interval: the percentiles of bootstrap
// resamples of the works that were held out, likes and dislikes apart.
type Value struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func (v Value) String() string { return fmt.Sprintf("%.3f [%.3f, %.3f]", v.Value, v.Low, v.High) }

// The names of metrics, in the order of the table.
var metricNames = []string{"auc", "average_precision", "balanced_accuracy", "log_loss"}

// resamples of the bootstrap.
const resamples = 500

// heldWork is what was predicted of a work.
type heldWork struct {
	liked                      bool
	fold                       int
	score, probability, decide float64
}

// works puts the predictions of what shows one work together.
func (c *Contest) works(cell Cell) map[int]heldWork {
	at := make(map[int]Prediction, len(cell.Predictions))
	for _, p := range cell.Predictions {
		at[p.Number] = p
	}
	out := make(map[int]heldWork)
	for w, work := range c.set.Works(c.set.All()) {
		var held heldWork
		n := 0.
		for _, number := range work.Members {
			if p, there := at[number]; there {
				n++
				held.liked, held.fold = work.Liked, p.Fold
				held.score, held.probability = held.score+p.Score, held.probability+p.Probability
				if p.Decided {
					held.decide++
				}
			}
		}
		if n > 0 {
			held.score, held.probability, held.decide = held.score/n, min(held.probability/n, 1), held.decide/n-.5
			out[w] = held
		}
	}
	return out
}

// areaOf is the AUC of works within folds, whose scores are of different
// models.
func areaOf(works []heldWork) (area Value, known bool) {
	var scores []float64
	var liked []bool
	var folds []int
	for _, w := range works {
		scores, liked, folds = append(scores, w.score), append(liked, w.liked), append(folds, w.fold)
	}
	area.Value, area.Low, area.High = judge.AUCWithin(scores, liked, folds)
	return area, !math.IsNaN(area.Value)
}

// measure gives the metrics of works but the AUC: of probabilities and
// decisions of all folds.
func measure(works []heldWork) map[string]float64 {
	var probabilities, decided []float64
	var liked []bool
	for _, w := range works {
		probabilities, decided, liked = append(probabilities, w.probability), append(decided, w.decide), append(liked, w.liked)
	}
	out := map[string]float64{}
	if ap, err := judge.AveragePrecision(probabilities, liked); err == nil {
		out["average_precision"] = ap
	}
	if loss, err := judge.LogLoss(probabilities, liked); err == nil {
		out["log_loss"] = loss
	}
	if confusion, err := judge.NewConfusion(decided, liked, 0); err == nil {
		out["balanced_accuracy"] = confusion.BalancedAccuracy()
	}
	return out
}

// metrics are those of a cell with their intervals: DeLong's of the AUC, the
// bootstrap's of the others.
func (c *Contest) metrics(cell Cell) map[string]Value {
	var classes [2][]heldWork
	var all []heldWork
	works := c.works(cell)
	for w := range c.set.Works(c.set.All()) {
		if held, there := works[w]; there {
			class := 0
			if held.liked {
				class = 1
			}
			classes[class], all = append(classes[class], held), append(all, held)
		}
	}
	if len(classes[0]) == 0 || len(classes[1]) == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(uint64(c.config.Seed), 77))
	drawn := map[string][]float64{}
	for range resamples {
		sample := make([]heldWork, 0, len(all))
		for _, class := range classes {
			for range class {
				sample = append(sample, class[random.IntN(len(class))])
			}
		}
		for name, v := range measure(sample) {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				drawn[name] = append(drawn[name], v)
			}
		}
	}
	out := map[string]Value{}
	for name, v := range measure(all) {
		d := drawn[name]
		if math.IsNaN(v) || math.IsInf(v, 0) || len(d) == 0 {
			continue
		}
		slices.Sort(d)
		out[name] = Value{v, d[len(d)/40], d[len(d)-1-len(d)/40]}
	}
	if area, known := areaOf(all); known {
		out["auc"] = area
	}
	return out
}

// Pair compares two cells on the works of the folds that both were judged on.
type Pair struct {
	First      string  `json:"first"` // model and method
	Second     string  `json:"second"`
	Works      int     `json:"works"`
	Difference float64 `json:"difference"` // of the first one's AUC from the second's
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	// P is of the paired test of DeLong et al. (1988) on both sides, corrected
	// for the number of pairs by Holm (1979).
	P float64 `json:"p"`
}

const z95 = 1.959963984540054

func (c *Contest) pair(a, b Cell) (p Pair, tested bool) {
	p = Pair{First: a.Model + ", " + a.Method, Second: b.Model + ", " + b.Method, P: 1}
	first, second := c.works(a), c.works(b)
	var x, y []float64
	var liked []bool
	likes := 0
	for w := range c.set.Works(c.set.All()) {
		one, there := first[w]
		other, both := second[w]
		if there && both {
			x, y, liked = append(x, one.probability), append(y, other.probability), append(liked, one.liked)
			if one.liked {
				likes++
			}
		}
	}
	p.Works = len(liked)
	if likes == 0 || likes == len(liked) {
		return p, false
	}
	difference, standardError := judge.Paired(x, y, liked)
	p.Difference, p.Low, p.High = difference, difference-z95*standardError, difference+z95*standardError
	if standardError > 0 {
		p.P = math.Erfc(math.Abs(difference) / standardError / math.Sqrt2)
	} else if difference != 0 {
		p.P = 0
	}
	return p, true
}

// holm corrects for the number of pairs (Holm, A simple sequentially rejective
// multiple test procedure, 1979).
func holm(pairs []Pair) {
	order := make([]int, len(pairs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(pairs[i].P, pairs[j].P) })
	least := 0.
	for rank, i := range order {
		least = max(least, min(1, pairs[i].P*float64(len(pairs)-rank)))
		pairs[i].P = least
	}
}

// judge measures the cells, ranks and compares them, and says what follows.
func (c *Contest) judge(r *Report) error {
	for i := range r.Cells {
		r.Cells[i].Metrics = c.metrics(r.Cells[i])
	}
	slices.SortStableFunc(r.Cells, func(a, b Cell) int {
		if a.ranked() != b.ranked() {
			if a.ranked() {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Metrics["auc"].Value, a.Metrics["auc"].Value)
	})
	var ranked []Cell
	for _, cell := range r.Cells {
		if cell.ranked() {
			ranked = append(ranked, cell)
		}
	}
	for i, a := range ranked {
		for _, b := range ranked[i+1:] {
			if p, tested := c.pair(a, b); tested {
				r.Pairs = append(r.Pairs, p)
			}
		}
	}
	holm(r.Pairs)
	r.Verdicts = verdicts(r, ranked)
	return nil
}

func (c Cell) ranked() bool { return !c.Cut && c.Failed == "" && len(c.Metrics) > 0 }

func (c Cell) tuned() bool { return strings.HasPrefix(c.Method, finetune) }

// byChance says that the AUC's interval holds what chance gives.
func (c Cell) byChance() bool { return c.Metrics["auc"].Low <= .5 }

// significant is what a corrected P must be below.
const significant = .05

// verdicts says, of each model, whether fine-tuning it was worth it, and which
// of all is the best.
func verdicts(r *Report, ranked []Cell) []string {
	var out []string
	seen := map[string]bool{}
	for _, best := range ranked {
		if seen[best.Model] {
			continue
		}
		seen[best.Model] = true
		var tuned, cheap *Cell
		for i := range ranked {
			switch cell := &ranked[i]; {
			case cell.Model != best.Model:
			case cell.tuned() && tuned == nil:
				tuned = cell
			case cell.Method == Probe:
				cheap = cell
			}
		}
		if tuned != nil && cheap != nil {
			out = append(out, r.verdict(*tuned, *cheap))
		}
	}
	if len(ranked) > 1 {
		out = append(out, r.winner(ranked))
	}
	return out
}

// verdict says whether a fine-tuning was worth it beside the probe.
func (r *Report) verdict(tuned, cheap Cell) string {
	p, found := r.find(tuned, cheap)
	if !found {
		return fmt.Sprintf("%s and the probe on %s can't be compared: no fold that both were judged on holds out both likes and dislikes", tuned.Method, tuned.Model)
	}
	if tuned.byChance() && cheap.byChance() {
		return fmt.Sprintf("neither the probe on %s nor fine-tuning it (%s) is told apart from chance: their AUC is %s and %s", tuned.Model, strings.TrimPrefix(tuned.Method, finetune),
			cheap.Metrics["auc"], tuned.Metrics["auc"])
	}
	cost := fmt.Sprintf("%s instead of %s", seconds(tuned.Seconds), seconds(cheap.Seconds))
	cheaper := fmt.Sprintf("%s instead of %s", seconds(cheap.Seconds), seconds(tuned.Seconds))
	interval := fmt.Sprintf("AUC %+.3f, from %+.3f to %+.3f, %s", p.Difference, p.Low, p.High, chance(p.P))
	fineTuning := fmt.Sprintf("fine-tuning %s (%s)", tuned.Model, strings.TrimPrefix(tuned.Method, finetune))
	switch {
	case p.P < significant && p.Difference > 0:
		return fmt.Sprintf("%s is better than the probe on it (%s), in %s", fineTuning, interval, cost)
	case p.P < significant:
		return fmt.Sprintf("the probe on %s is better than %s (for the latter %s), in %s", tuned.Model, fineTuning, interval, cheaper)
	}
	return fmt.Sprintf("the probe on %s is as good as %s (for the latter %s), in %s", tuned.Model, fineTuning, interval, cheaper)
}

// chance shows a P.
func chance(p float64) string {
	if p < .001 {
		return "p < 0.001"
	}
	return fmt.Sprintf("p = %.3f", p)
}

// find gives the comparison of two cells, the first less the second.
func (r *Report) find(a, b Cell) (Pair, bool) {
	first, second := a.Model+", "+a.Method, b.Model+", "+b.Method
	for _, p := range r.Pairs {
		switch {
		case p.First == first && p.Second == second:
			return p, true
		case p.First == second && p.Second == first:
			p.First, p.Second, p.Difference, p.Low, p.High = first, second, 0-p.Difference, 0-p.High, 0-p.Low
			return p, true
		}
	}
	return Pair{}, false
}

// winner says which cell is the best, and which are not told apart from it.
func (r *Report) winner(ranked []Cell) string {
	if !slices.ContainsFunc(ranked, func(c Cell) bool { return !c.byChance() }) {
		return "no model and method is told apart from chance: more ratings are needed, or the pictures don't show what was judged by"
	}
	best := ranked[0]
	var equal []string
	for _, other := range ranked[1:] {
		if p, found := r.find(best, other); !found || p.P >= significant {
			equal = append(equal, other.Model+" by "+other.Method)
		}
	}
	text := fmt.Sprintf("the best of all is %s by %s (AUC %.3f)", best.Model, best.Method, best.Metrics["auc"].Value)
	if len(equal) > 0 {
		text += "; not told apart from it: " + strings.Join(equal, ", ")
	}
	return text
}

func seconds(s float64) string {
	switch {
	case s < 120:
		return fmt.Sprintf("%.2g s", s)
	case s < 7200:
		return fmt.Sprintf("%.0f min", s/60)
	}
	return fmt.Sprintf("%.1f h", s/3600)
}
