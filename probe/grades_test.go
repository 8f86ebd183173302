package probe_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// gradedWorld draws rows of length 1 and stars from 1 to 5 for a direction of
// taste, with as much noise as said.
func gradedWorld(random *rand.Rand, n, dim int, noise float64) (rows [][]float32, stars []float64) {
	taste := make([]float64, dim)
	for j := range taste {
		taste[j] = random.NormFloat64()
	}
	for range n {
		row := make([]float32, dim)
		square, along := 0., 0.
		for j := range row {
			v := random.NormFloat64() * 3 / math.Sqrt(float64(j+1))
			row[j] = float32(v)
			square += v * v
			along += v * taste[j]
		}
		for j := range row {
			row[j] /= float32(math.Sqrt(square))
		}
		rows = append(rows, row)
		stars = append(stars, max(1, min(5, math.Round(3.3+along/math.Sqrt(square)+noise*random.NormFloat64()))))
	}
	return rows, stars
}

// gradedLogistic is what FitGrades was chosen over: logistic regression on the
// grades as shares of a like.
func gradedLogistic(t *testing.T, rows [][]float32, stars []float64, c float64) *probe.Fitted {
	t.Helper()
	var s probe.Samples
	for i, g := range stars {
		for _, liked := range []bool{true, false} {
			share := (g - 1) / 4
			if !liked {
				share = 1 - share
			}
			s.Rows, s.Liked, s.Weights = append(s.Rows, rows[i]), append(s.Liked, liked), append(s.Weights, max(share, 1e-6))
		}
	}
	f, err := probe.Fit(context.Background(), s, probe.FitOptions{C: c, Tolerance: 1e-4, MaxIterations: 100, Parallelism: 1})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The simulation behind the choice of ridge regression: mean ρ by 10 and 100
// ratings, with the best C of the logistic, which nobody knows beforehand.
func TestGradesAreToldAsWellAsByLogistic(t *testing.T) {
	const dim, worlds = 32, 12
	for _, n := range []int{10, 100} {
		ridge, logistic := 0., map[float64]float64{}
		for w := range worlds {
			rows, stars := gradedWorld(rand.New(rand.NewPCG(uint64(w), 7)), n+200, dim, .7)
			fitted, err := probe.FitGrades(rows[:n], stars[:n])
			if err != nil {
				t.Fatal(err)
			}
			rho := func(score func([]float32) float64) float64 {
				var scores []float64
				for _, row := range rows[n:] {
					scores = append(scores, score(row))
				}
				r, err := judge.Spearman(scores, stars[n:])
				if err != nil {
					t.Fatal(err)
				}
				return r / worlds
			}
			ridge += rho(fitted.Grade)
			for _, c := range []float64{.1, 1, 10} {
				logistic[c] += rho(gradedLogistic(t, rows[:n], stars[:n], c).Logit)
			}
		}
		t.Logf("%d ratings: ridge %.3f, logistic by C %.3f", n, ridge, logistic)
		for c, r := range logistic {
			if ridge < r-.02 {
				t.Errorf("%d ratings: ridge %.3f, logistic with C %v %.3f", n, ridge, c, r)
			}
		}
		if ridge < .2 {
			t.Errorf("%d ratings: rho %.3f, want what is there to be learned", n, ridge)
		}
	}
}

// The optimum of a ridge has no gradient, whichever product is decomposed.
func TestFitGradesMinimises(t *testing.T) {
	for _, n := range []int{12, 80} {
		const dim = 20
		rows, grades := gradedWorld(rand.New(rand.NewPCG(5, 6)), n, dim, .5)
		f, err := probe.FitGrades(rows, grades)
		if err != nil {
			t.Fatal(err)
		}
		bias, gradient := 0., make([]float64, dim)
		for i, row := range rows {
			e := f.Grade(row) - grades[i]
			bias += e
			for j, v := range row {
				gradient[j] += e * float64(v)
			}
		}
		for j := range gradient {
			if g := gradient[j] + f.Strength*f.Weights[j]; math.Abs(g) > 1e-6 || math.Abs(bias) > 1e-6 {
				t.Fatalf("%d rows: gradient %v of weight %d and %v of the bias, want 0", n, g, j, bias)
			}
		}
	}
}

func TestFitGradesRefuses(t *testing.T) {
	rows := [][]float32{{1, 0}, {0, 1}, {.6, .8}}
	for name, tt := range map[string]struct {
		rows   [][]float32
		grades []float64
		want   error
	}{
		"one grade":     {rows, []float64{3, 3, 3}, palate.ErrConflict},
		"two grades":    {rows[:2], []float64{3, 4}, palate.ErrConflict},
		"lengths":       {rows, []float64{3, 4}, palate.ErrInvalid},
		"no number":     {rows, []float64{3, 4, math.Inf(1)}, palate.ErrInvalid},
		"uneven rows":   {[][]float32{{1, 0}, {0}, {1, 1}}, []float64{1, 2, 3}, palate.ErrInvalid},
		"the same rows": {[][]float32{{1, 0}, {1, 0}, {1, 0}}, []float64{1, 2, 3}, palate.ErrConflict},
	} {
		if _, err := probe.FitGrades(tt.rows, tt.grades); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func TestJudgeGrades(t *testing.T) {
	rows, stars := gradedWorld(rand.New(rand.NewPCG(8, 9)), 200, 16, .5)
	r, err := probe.JudgeGrades(context.Background(), rows, stars, 1)
	if err != nil || r.Rho < .4 || r.Low >= r.Rho || r.High <= r.Rho || r.Works != 200 || r.Lowest != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	// Copies do not help: twice the rows are the same works.
	twice, err := probe.JudgeGrades(context.Background(), append(rows, rows...), append(stars, stars...), 1)
	if err != nil || twice.Works != 200 || math.Abs(twice.Rho-r.Rho) > 1e-9 {
		t.Errorf("with copies %+v, %v, want rho %v", twice, err, r.Rho)
	}
	// Grades by chance are told by chance.
	sum := 0.
	for seed := range int64(10) {
		random := rand.New(rand.NewPCG(uint64(seed), 3))
		random.Shuffle(len(stars), func(i, j int) { stars[i], stars[j] = stars[j], stars[i] })
		r, err := probe.JudgeGrades(context.Background(), rows, stars, seed)
		if err != nil {
			t.Fatal(err)
		}
		sum += r.Rho / 10
	}
	if math.Abs(sum) > .08 {
		t.Errorf("shuffled stars have a mean rho of %.3f, want 0", sum)
	}
	if _, err := probe.JudgeGrades(context.Background(), rows[:9], stars[:9], 1); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("nine works: got %v, want ErrConflict", err)
	}
}

func TestJudgeRaters(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 11))
	var rows [][]float32
	var ratings []probe.Rating
	for rater, n := range []int{130, 130, 130, 40, 12, 130} {
		more, stars := gradedWorld(random, n, 16, .5)
		for i, g := range stars {
			if rater == 5 {
				g = 4 // says the same of all
			}
			ratings = append(ratings, probe.Rating{Rater: fmt.Sprint(rater), Row: len(rows) + i, Grade: g})
		}
		rows = append(rows, more...)
	}
	rows = append(rows, rows[0]) // a copy of the first rater's first
	ratings = append(ratings, probe.Rating{Rater: "0", Row: len(rows) - 1, Grade: ratings[0].Grade})
	config := probe.RatersConfig{Learn: []int{10, 100}, Draws: 4, Seed: 1}
	r, err := probe.JudgeRaters(context.Background(), rows, ratings, config)
	if err != nil {
		t.Fatal(err)
	}
	few, many := r.Learned[0], r.Learned[1]
	if r.Raters != 6 || r.Repeated != 1 || len(few.Judged) != 4 || len(few.TooFew) != 1 || len(few.OneFor) != 1 || len(many.Judged) != 3 || len(many.TooFew) != 2 {
		t.Fatalf("got %+v", r)
	}
	if few.TooFew[0] != (probe.RaterCount{Rater: "4", Pictures: 12}) || few.OneFor[0].Rater != "5" || few.Judged[0].Pictures != 130 {
		t.Errorf("got %+v", few)
	}
	if !(*many.Rho > *few.Rho && *many.Rho > .4 && *many.Low < *many.Rho && *many.Rho < *many.High) {
		t.Errorf("rho %v by 10 and %v [%v, %v] by 100", *few.Rho, *many.Rho, *many.Low, *many.High)
	}
	// No other rater's ratings matter, nor the order.
	for i := range ratings {
		if ratings[i].Rater == "1" {
			ratings[i].Grade = float64(i % 3)
		}
	}
	random.Shuffle(len(ratings), func(i, j int) { ratings[i], ratings[j] = ratings[j], ratings[i] })
	again, err := probe.JudgeRaters(context.Background(), rows, ratings, config)
	if err != nil {
		t.Fatal(err)
	}
	if again.Learned[1].Judged[0] != many.Judged[0] || again.Learned[1].Judged[2] != many.Judged[2] || again.Learned[1].Judged[1] == many.Judged[1] {
		t.Errorf("got %+v, then %+v", many.Judged, again.Learned[1].Judged)
	}
	for name, tt := range map[string]probe.RatersConfig{"no draws": {Learn: []int{10}}, "nothing to learn": {Draws: 1}, "two": {Draws: 1, Learn: []int{2}}} {
		if _, err := probe.JudgeRaters(context.Background(), rows, ratings, tt); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	ratings[0].Row = len(rows)
	if _, err := probe.JudgeRaters(context.Background(), rows, ratings, config); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a row beyond: got %v, want ErrInvalid", err)
	}
}
