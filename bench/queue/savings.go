package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
)

// result is what the benchmark writes.
type result struct {
	Features string        `json:"features"`
	Pictures int           `json:"pictures"`
	Dim      int           `json:"dim"`
	Kind     string        `json:"kind"`
	Persons  int           `json:"persons"`
	Tastes   []tasteResult `json:"tastes"`
}

type tasteResult struct {
	Taste string      `json:"taste"`
	Ways  []wayResult `json:"ways"`
}

// wayResult is a way to ask, compared with random where there is that.
type wayResult struct {
	Way string `json:"way"`
	// AUC is the mean over the persons after each batch.
	AUC []float64 `json:"auc"`
	// Difference is AUC less random's, with its 95 % interval, after 50, 100
	// and 150 ratings.
	Difference []interval `json:"difference,omitempty"`
	// Saved is the share of ratings saved to come to the mean AUC that random
	// has after 50 and 100.
	Saved []interval `json:"saved,omitempty"`
	// Likes among the first 50 shown.
	Likes float64 `json:"likes_of_50"`
}

// interval is bootstrapped over the persons, each with all ways.
type interval struct {
	At    int     `json:"at"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

const resamples = 2000

func judged(taste string, names []string, traces map[string][]trace) tasteResult {
	out := tasteResult{Taste: taste}
	random := traces["random"]
	for _, name := range names {
		mine := traces[name]
		all := everyone(len(mine))
		w := wayResult{Way: name, AUC: mean(mine, all)}
		ratings := batchSize
		for _, t := range mine {
			w.Likes += float64(t.likes[min(len(t.likes), 50/ratings)-1]) / float64(len(mine))
		}
		if random != nil && name != "random" {
			for _, at := range []int{50, 100, 150} {
				if k := at/ratings - 1; k >= 0 && k < len(w.AUC) {
					w.Difference = append(w.Difference, bootstrap(at, len(mine), func(of []int) float64 { return mean(mine, of)[k] - mean(random, of)[k] }))
				}
			}
			for _, at := range []int{50, 100} {
				if k := at/ratings - 1; k >= 0 && k < len(w.AUC) {
					w.Saved = append(w.Saved, bootstrap(at, len(mine), func(of []int) float64 {
						return 1 - reach(mean(mine, of), mean(random, of)[k], ratings)/float64(at)
					}))
				}
			}
		}
		out.Ways = append(out.Ways, w)
	}
	return out
}

// batchSize is set from the flags once.
var batchSize = 10

func everyone(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// mean is the curve of some of the persons.
func mean(traces []trace, of []int) []float64 {
	out := make([]float64, len(traces[0].auc))
	for _, i := range of {
		for k := range out {
			out[k] += traces[i].auc[k] / float64(len(of))
		}
	}
	return out
}

// reach is after how many ratings a curve is at an AUC and stays there for the
// next batch, linear between batches; it begins at .5 without ratings. A curve
// that does not reach it counts with all of its ratings.
func reach(curve []float64, target float64, batch int) float64 {
	before := .5
	for k, auc := range curve {
		if auc >= target && (k+1 == len(curve) || curve[k+1] >= target) {
			share := 1.
			if auc > before && before < target {
				share = (target - before) / (auc - before)
			}
			return (float64(k) + share) * float64(batch)
		}
		before = auc
	}
	return float64(len(curve) * batch)
}

func bootstrap(at, n int, value func(of []int) float64) interval {
	random := rand.New(rand.NewPCG(1, 13))
	drawn := make([]float64, resamples)
	of := make([]int, n)
	for r := range drawn {
		for i := range of {
			of[i] = random.IntN(n)
		}
		drawn[r] = value(of)
	}
	slices.Sort(drawn)
	round := func(v float64) float64 { return math.Round(v*1e4) / 1e4 }
	return interval{at, round(value(everyone(n))), round(drawn[resamples*25/1000]), round(drawn[resamples*975/1000])}
}

func (r result) print(to io.Writer) error {
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "TASTE\tWAY\tAUC 30\t50\t100\tLAST\tMORE AT 50\tAT 100\tAT LAST\tSAVED TO RANDOM'S 50\tSAVED TO ITS 100\tLIKES OF 50")
	for _, t := range r.Tastes {
		for _, w := range t.Ways {
			fmt.Fprintf(out, "%s\t%s", t.Taste, w.Way)
			for _, at := range []int{30, 50, 100, batchSize * len(w.AUC)} {
				if k := at/batchSize - 1; k >= 0 && k < len(w.AUC) {
					fmt.Fprintf(out, "\t%.3f", w.AUC[k])
				} else {
					fmt.Fprint(out, "\t-")
				}
			}
			for _, d := range w.Difference {
				fmt.Fprintf(out, "\t%+.3f [%+.3f, %+.3f]", d.Value, d.Low, d.High)
			}
			for range 3 - len(w.Difference) {
				fmt.Fprint(out, "\t-")
			}
			for _, s := range w.Saved {
				fmt.Fprintf(out, "\t%.0f %% [%.0f, %.0f]", 100*s.Value, 100*s.Low, 100*s.High)
			}
			for range 2 - len(w.Saved) {
				fmt.Fprint(out, "\t-")
			}
			fmt.Fprintf(out, "\t%.1f\n", w.Likes)
		}
	}
	return out.Flush()
}
