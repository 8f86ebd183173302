package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/active"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// poolSize is how many pictures the queue chooses among, as the server does.
const poolSize = 300

// result is what the benchmark writes.
type result struct {
	World    string    `json:"world"`
	Pictures int       `json:"pictures"`
	Dim      int       `json:"dim"`
	Seeds    int       `json:"seeds"`
	Batch    int       `json:"batch"`
	Go       string    `json:"go"`
	Cores    int       `json:"cores"`
	Curves   []curve   `json:"curves"`
	Savings  []savings `json:"savings"`
}

// curve is the mean AUC over the seeds after so many labels.
type curve struct {
	Strategy string    `json:"strategy"`
	Labels   []int     `json:"labels"`
	AUC      []float64 `json:"auc"`
}

// savings compares a strategy with the first at one AUC.
type savings struct {
	Strategy string  `json:"strategy"`
	AUC      float64 `json:"auc"`
	// Reached is how many of the seeds reached it with each; the others count
	// as if they had with the last label, which favours whoever fails more.
	YardstickReached int `json:"yardstick_reached"`
	Reached          int `json:"reached"`
	// Yardstick and Labels are the mean numbers of labels.
	Yardstick float64 `json:"yardstick"`
	Labels    float64 `json:"labels"`
	// Saved is 1 - Labels/Yardstick with its 95 % bootstrap interval over the
	// seeds.
	Saved float64 `json:"saved"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// trace is the AUC of one person and strategy after each batch.
type trace struct {
	labels []int
	auc    []float64
}

func parseTargets(s string) ([]float64, error) {
	var out []float64
	for _, text := range strings.Split(s, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(v > .5 && v < 1) {
			return nil, fmt.Errorf("target %q: want an AUC between 0.5 and 1", text)
		}
		out = append(out, v)
	}
	return out, nil
}

// strategies by name; nil draws at random.
var strategies = map[string]*active.Config{
	"random":     nil,
	"queue":      with(func(*active.Config) {}),
	"fewer best": with(func(c *active.Config) { c.Uncertain, c.Explore, c.Top = .8, .1, .1 }),
	"more best":  with(func(c *active.Config) { c.Uncertain, c.Explore, c.Top = .4, .2, .4 }),
	"uncertain":  with(func(c *active.Config) { c.Uncertain, c.Explore, c.Top = 1, 0, 0 }),
	"top":        with(func(c *active.Config) { c.Uncertain, c.Explore, c.Top = 0, 0, 1 }),
	"explore":    with(func(c *active.Config) { c.Uncertain, c.Explore, c.Top = 0, 1, 0 }),
}

func with(change func(*active.Config)) *active.Config {
	c := active.DefaultConfig()
	change(&c)
	return &c
}

func simulate(ctx context.Context, w world, o options, targets []float64) (*result, error) {
	rows := w.embeddings()
	out := &result{World: w.name(), Pictures: len(rows), Dim: len(rows[0]), Seeds: o.seeds, Batch: o.batch}
	names := strings.Split(o.strategies, ",")
	traces := make(map[string][]trace)
	for _, name := range names {
		config, known := strategies[name]
		if !known {
			return nil, fmt.Errorf("strategy %q is not known", name)
		}
		for seed := range o.seeds {
			t, err := learn(ctx, w, int64(seed+1), config, o)
			if err != nil {
				return nil, err
			}
			traces[name] = append(traces[name], t)
		}
		out.Curves = append(out.Curves, meanCurve(name, traces[name]))
	}
	for _, name := range names[1:] {
		for _, target := range targets {
			out.Savings = append(out.Savings, compare(name, target, traces[names[0]], traces[name]))
		}
	}
	return out, nil
}

// learn lets one person teach one probe.
func learn(ctx context.Context, w world, seed int64, config *active.Config, o options) (trace, error) {
	rows := w.embeddings()
	truth, says := w.person(seed)
	pool, test := halves(len(rows), seed)
	random := rand.New(rand.NewPCG(uint64(seed), 12))
	liked := make([]bool, len(test))
	for k, i := range test {
		liked[k] = truth[i]
	}
	settings := probe.DefaultConfig()
	settings.Folds, settings.InnerFolds, settings.Resamples, settings.NearDuplicates = 3, 2, 0, false
	var t trace
	var learned *probe.Probe
	var examples []probe.Example
	var order []int // judged, in order
	left := slices.Clone(pool)
	for len(order) < o.labels && len(left) >= o.batch {
		for _, i := range ask(rows, left, order, examples, learned, config, random, o.batch) {
			order = append(order, i)
			examples = append(examples, probe.Example{Image: idOf(i), Embedding: rows[i], Liked: says(i)})
			left = slices.DeleteFunc(left, func(j int) bool { return j == i })
		}
		auc := .5
		p, _, err := probe.Train(ctx, examples, "", settings)
		var missing *probe.NotEnoughError
		switch {
		case err == nil:
			learned = p
			scores := make([]float64, len(test))
			for k, i := range test {
				scores[k] = p.Score(rows[i])
			}
			if auc, err = judge.AUC(scores, liked); err != nil {
				return t, err
			}
		case !errors.As(err, &missing):
			return t, err
		}
		t.labels, t.auc = append(t.labels, len(order)), append(t.auc, auc)
	}
	return t, nil
}

// ask gives the next pictures.
func ask(rows []palate.Embedding, left, order []int, examples []probe.Example, learned *probe.Probe, config *active.Config, random *rand.Rand, n int) []int {
	random.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	if config == nil {
		return slices.Clone(left[:min(n, len(left))])
	}
	r := active.Request{Probe: learned, Random: random}
	at := make(map[palate.ImageID]int)
	for k, i := range left {
		at[idOf(i)] = i
		if k < poolSize {
			r.Pool = append(r.Pool, shown(rows, i, learned))
		}
	}
	if learned != nil {
		best := slices.Clone(left)
		slices.SortFunc(best, func(a, b int) int {
			return int(math.Copysign(1, learned.Score(rows[b])-learned.Score(rows[a])))
		})
		for _, i := range best[:min(len(best), 100)] {
			r.Top = append(r.Top, shown(rows, i, learned))
		}
	}
	for k := len(examples) - 1; k >= 0; k-- {
		r.Judged = append(r.Judged, active.Judged{Embedding: examples[k].Embedding, Liked: examples[k].Liked})
		if len(r.Recent) < 20 {
			r.Recent = append(r.Recent, examples[k].Embedding)
		}
	}
	var out []int
	for _, c := range active.Choose(r, n, *config) {
		out = append(out, at[c.ID])
	}
	if len(out) == 0 { // all that is left are near-duplicates
		return slices.Clone(left[:min(n, len(left))])
	}
	return out
}

func shown(rows []palate.Embedding, i int, learned *probe.Probe) active.Picture {
	p := active.Picture{ID: idOf(i), Embedding: rows[i]}
	if learned != nil {
		p.Score = learned.Score(rows[i])
	}
	return p
}

func meanCurve(name string, traces []trace) curve {
	c := curve{Strategy: name}
	for k := range traces[0].labels {
		var sum float64
		n := 0
		for _, t := range traces {
			if k < len(t.auc) {
				sum += t.auc[k]
				n++
			}
		}
		c.Labels, c.AUC = append(c.Labels, traces[0].labels[k]), append(c.AUC, math.Round(sum/float64(n)*1e4)/1e4)
	}
	return c
}

// reach is how many labels it takes to come to an AUC and stay there for the
// next batch too, linear between batches.
func (t trace) reach(target float64) (float64, bool) {
	for k, auc := range t.auc {
		if auc < target || k+1 < len(t.auc) && t.auc[k+1] < target {
			continue
		}
		if k == 0 {
			return float64(t.labels[0]), true
		}
		share := (target - t.auc[k-1]) / (auc - t.auc[k-1])
		if !(share >= 0 && share <= 1) {
			share = 1
		}
		return float64(t.labels[k-1]) + share*float64(t.labels[k]-t.labels[k-1]), true
	}
	return float64(t.labels[len(t.labels)-1]), false
}

func compare(name string, target float64, yardstick, traces []trace) savings {
	s := savings{Strategy: name, AUC: target}
	var with, without []float64
	for i := range traces {
		a, first := yardstick[i].reach(target)
		b, second := traces[i].reach(target)
		if first {
			s.YardstickReached++
		}
		if second {
			s.Reached++
		}
		without, with = append(without, a), append(with, b)
	}
	all := make([]int, len(with))
	for i := range all {
		all[i] = i
	}
	saved := func(of []int) (float64, float64, float64) {
		var a, b float64
		for _, i := range of {
			a, b = a+without[i]/float64(len(of)), b+with[i]/float64(len(of))
		}
		return a, b, 1 - b/a
	}
	s.Yardstick, s.Labels, s.Saved = saved(all)
	random := rand.New(rand.NewPCG(1, 13))
	drawn := make([]float64, 2000)
	for r := range drawn {
		of := make([]int, len(with))
		for i := range of {
			of[i] = random.IntN(len(with))
		}
		_, _, drawn[r] = saved(of)
	}
	slices.Sort(drawn)
	s.Low, s.High = drawn[len(drawn)*25/1000], drawn[len(drawn)*975/1000]
	return s
}
