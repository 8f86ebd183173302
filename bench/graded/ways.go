package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// way makes of stars what the probe's logistic regression learns from: how much
// a grade counts as a like and how much as a dislike. A way without is ridge
// regression on the grades.
type way struct {
	name          string
	like, dislike [6]float64 // by stars
}

var ways = []way{
	{"likes and dislikes", [6]float64{4: 1, 5: 1}, [6]float64{1: 1, 2: 1}},
	{"1 and 5 twice", [6]float64{4: 1, 5: 2}, [6]float64{1: 2, 2: 1}},
	{"1 and 5 thrice", [6]float64{4: 1, 5: 3}, [6]float64{1: 3, 2: 1}},
	{"3 half to each", [6]float64{3: .5, 4: 1, 5: 1}, [6]float64{1: 1, 2: 1, 3: .5}},
	{"twice, 3 half", [6]float64{3: .5, 4: 1, 5: 2}, [6]float64{1: 2, 2: 1, 3: .5}},
	{"share of a like", [6]float64{2: .25, 3: .5, 4: .75, 5: 1}, [6]float64{1: 1, 2: .75, 3: .5, 4: .25}},
	{name: "ridge"},
}

// figures are what a way reached.
type figures struct{ rho, auc float64 }

// judged draws a taste and its ratings, and lets every way learn from these.
// What can't be learned from orders nothing: ρ 0 and AUC .5.
func judged(ctx context.Context, rows [][]float32, t taste, n int, seed uint64) ([]figures, error) {
	r := rand.New(rand.NewPCG(11, seed))
	stars := t.stars(r, rows)
	order := r.Perm(len(rows))
	train, rest := order[:n], order[n:]
	truth := make([]float64, len(rest))
	var liked []bool
	var counted []int // among rest, those that are liked or disliked
	for i, number := range rest {
		truth[i] = float64(stars[number])
		if stars[number] != 3 {
			counted, liked = append(counted, i), append(liked, stars[number] > 3)
		}
	}
	out := make([]figures, len(ways))
	for i, w := range ways {
		out[i] = figures{0, .5}
		weights, err := w.learn(ctx, rows, stars, train)
		if errors.Is(err, palate.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		scores := make([]float64, len(rest))
		for j, number := range rest {
			for k, v := range rows[number] {
				scores[j] += weights[k] * float64(v)
			}
		}
		if rho, err := judge.Spearman(scores, truth); err == nil {
			out[i].rho = rho
		}
		var of []float64
		for _, j := range counted {
			of = append(of, scores[j])
		}
		if out[i].auc, err = judge.AUC(of, liked); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// strengths of the regularisation, of which five folds choose.
var strengths = []float64{.01, .1, 1, 10, 100, 1000}

func (w way) learn(ctx context.Context, rows [][]float32, stars, train []int) ([]float64, error) {
	if w.name == "ridge" {
		var some [][]float32
		var grades []float64
		for _, n := range train {
			some, grades = append(some, rows[n]), append(grades, float64(stars[n]))
		}
		g, err := probe.FitGrades(some, grades)
		if err != nil {
			return nil, err
		}
		return g.Weights, nil
	}
	losses := make([]float64, len(strengths))
	// Grades are dealt out in turn, so that every fold has some of each.
	order := slices.Clone(train)
	slices.SortStableFunc(order, func(a, b int) int { return stars[a] - stars[b] })
	for fold := range 5 {
		var seen, held []int
		for i, n := range order {
			if i%5 == fold {
				held = append(held, n)
			} else {
				seen = append(seen, n)
			}
		}
		samples, out := w.samples(rows, stars, seen), w.samples(rows, stars, held)
		if !both(samples) || len(out.Rows) == 0 {
			continue
		}
		fits, err := probe.Path(ctx, samples, strengths, probe.FitOptions{Tolerance: 1e-4, HeldOut: &out, Parallelism: 1})
		if err != nil {
			return nil, err
		}
		for i, f := range fits {
			losses[i] += f.HeldOutLoss
		}
	}
	all := w.samples(rows, stars, train)
	if !both(all) {
		return nil, palate.ErrConflict
	}
	best := 0
	for i := range losses {
		if losses[i] < losses[best] {
			best = i
		}
	}
	f, err := probe.Fit(ctx, all, probe.FitOptions{C: strengths[best], Tolerance: 1e-4, Parallelism: 1})
	if err != nil {
		return nil, err
	}
	return f.Weights, nil
}

// samples are the rows with their weights, likes and dislikes balanced as in
// training.
func (w way) samples(rows [][]float32, stars, numbers []int) (s probe.Samples) {
	var likes, dislikes float64
	for _, n := range numbers {
		likes, dislikes = likes+w.like[stars[n]], dislikes+w.dislike[stars[n]]
	}
	add := func(n int, liked bool, weight, total float64) {
		if weight > 0 {
			s.Rows, s.Liked = append(s.Rows, rows[n]), append(s.Liked, liked)
			s.Weights = append(s.Weights, weight*float64(len(numbers))/(2*total))
		}
	}
	for _, n := range numbers {
		add(n, true, w.like[stars[n]], likes)
		add(n, false, w.dislike[stars[n]], dislikes)
	}
	return s
}

func both(s probe.Samples) bool {
	return slices.Contains(s.Liked, true) && slices.Contains(s.Liked, false)
}
