// Command kinds compares the kinds of package probe on tastes that are known:
// the AUC on pictures that were not rated, the mean of several draws.
//
//	go run ./bench/kinds [-features FILE.npy [-subjects FILE]] [-draws 10]
//
// Without features the pictures are drawn: points on a sphere, of which the
// first few directions mean something. With features, in an order in which
// neighbours show the like, a taste is a direction among them, or some
// stretches of the order; with the subject of each row beside them it is some
// subjects. One line is one taste and number of ratings; the
// column "regret" is how far auto lies below the best of the others.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// taste says which pictures are liked.
type taste struct {
	name string
	draw func(r *rand.Rand) (pictures []palate.Embedding, liked []bool)
}

var kinds = []probe.Kind{probe.Logistic, probe.Centroid, probe.Blend, probe.KNN, probe.Auto}

func main() {
	file := flag.String("features", "", "embeddings, in an order in which neighbours show the like")
	subjects := flag.String("subjects", "", "a text file with the subject of each row, for tastes of subjects")
	draws := flag.Int("draws", 10, "draws of each taste")
	flag.Parse()
	if err := run(context.Background(), *file, *subjects, *draws); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, file, subjects string, draws int) error {
	tastes := drawn()
	if file != "" {
		loaded, err := features.LoadRows(file)
		if err != nil {
			return err
		}
		var rows []palate.Embedding
		for _, row := range loaded {
			rows = append(rows, row)
		}
		tastes = among(rows)
		if subjects != "" {
			if tastes, err = ofSubjects(rows, subjects); err != nil {
				return err
			}
		}
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer out.Flush()
	fmt.Fprint(out, "TASTE\tLIKES + DISLIKES")
	for _, kind := range kinds {
		fmt.Fprintf(out, "\t%s", kind.Name())
	}
	fmt.Fprintln(out, "\tREGRET\tTAKEN")
	for _, t := range tastes {
		for _, likes := range []int{10, 20, 40, 80} {
			if err := compare(ctx, out, t, likes, draws); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare prints a line.
func compare(ctx context.Context, out *tabwriter.Writer, t taste, likes, draws int) error {
	means := make([]float64, len(kinds))
	taken := make(map[string]int)
	for draw := range draws {
		r := rand.New(rand.NewPCG(uint64(draw), uint64(likes)))
		pictures, liked := t.draw(r)
		examples, rest := rate(r, pictures, liked, likes, 3*likes)
		for k, kind := range kinds {
			c := probe.DefaultConfig()
			c.Kind, c.NearDuplicates, c.Resamples = kind, false, 0
			p, report, err := probe.Train(ctx, examples, "bench", c)
			if err != nil {
				return err
			}
			if report.Choice != nil {
				taken[report.Choice.Kind]++
			}
			var scores []float64
			var truth []bool
			for _, i := range rest {
				scores, truth = append(scores, p.Score(pictures[i])), append(truth, liked[i])
			}
			auc, err := judge.AUC(scores, truth)
			if err != nil {
				return err
			}
			means[k] += auc / float64(draws)
		}
	}
	fmt.Fprintf(out, "%s\t%d + %d", t.name, likes, 3*likes)
	for _, mean := range means {
		fmt.Fprintf(out, "\t%.3f", mean)
	}
	fmt.Fprintf(out, "\t%.3f\t", slices.Max(means[:len(means)-1])-means[len(means)-1])
	for _, kind := range kinds {
		if n := taken[kind.Name()]; n > 0 {
			fmt.Fprintf(out, "%s %d ", kind.Name(), n)
		}
	}
	fmt.Fprintln(out)
	return out.Flush()
}

// rate draws what a person has judged; the rest is what the taste is tested on.
func rate(r *rand.Rand, pictures []palate.Embedding, liked []bool, likes, dislikes int) (examples []probe.Example, rest []int) {
	for _, i := range r.Perm(len(pictures)) {
		left := &dislikes
		if liked[i] {
			left = &likes
		}
		if *left == 0 {
			rest = append(rest, i)
			continue
		}
		*left--
		examples = append(examples, probe.Example{Row: i, Embedding: pictures[i], Liked: liked[i]})
	}
	return examples, rest
}

const (
	drawnPictures = 1500
	dim           = 64
	liked         = .25
)

// drawn are tastes among pictures that are drawn: 30 styles, each with
// variations of its own.
func drawn() []taste {
	styles := func(r *rand.Rand) (pictures []palate.Embedding, of []int) {
		centres := make([][]float64, 30)
		for i := range centres {
			centres[i] = normal(r, 1)
		}
		for range drawnPictures {
			style := r.IntN(len(centres))
			x := normal(r, .8)
			for j := range x {
				x[j] += centres[style][j]
			}
			pictures, of = append(pictures, unit(x)), append(of, style)
		}
		return pictures, of
	}
	return []taste{
		{"one direction", func(r *rand.Rand) ([]palate.Embedding, []bool) {
			pictures, _ := styles(r)
			return pictures, best(pictures, noisy(r, along(normal(r, 1)), .05))
		}},
		{"seven islands of 30", func(r *rand.Rand) ([]palate.Embedding, []bool) {
			pictures, of := styles(r)
			wanted := r.Perm(30)[:7]
			truth := make([]bool, len(pictures))
			for i, style := range of {
				truth[i] = slices.Contains(wanted, style)
			}
			return pictures, truth
		}},
		{"seven islands, one in six flipped", func(r *rand.Rand) ([]palate.Embedding, []bool) {
			pictures, of := styles(r)
			wanted := r.Perm(30)[:7]
			truth := make([]bool, len(pictures))
			for i, style := range of {
				truth[i] = slices.Contains(wanted, style) != (r.Float64() < 1./6)
			}
			return pictures, truth
		}},
		{"a ring", func(r *rand.Rand) ([]palate.Embedding, []bool) {
			pictures := make([]palate.Embedding, drawnPictures)
			radius := make([]float64, drawnPictures)
			for i := range pictures {
				x := normal(r, .15)
				x[0], x[1] = r.NormFloat64(), r.NormFloat64()
				x[2] = 1.5
				radius[i] = -math.Abs(math.Hypot(x[0], x[1]) - 1.2)
				pictures[i] = unit(x)
			}
			return pictures, best(pictures, func(i int, _ palate.Embedding) float64 { return radius[i] })
		}},
		{"noise", func(r *rand.Rand) ([]palate.Embedding, []bool) {
			pictures, _ := styles(r)
			return pictures, best(pictures, func(int, palate.Embedding) float64 { return r.Float64() })
		}},
	}
}

// among are tastes among given pictures.
func among(rows []palate.Embedding) []taste {
	islands := func(stretches, length int) func(r *rand.Rand) ([]palate.Embedding, []bool) {
		return func(r *rand.Rand) ([]palate.Embedding, []bool) {
			truth := make([]bool, len(rows))
			for _, at := range r.Perm(len(rows) / length)[:stretches] {
				for i := range length {
					truth[at*length+i] = true
				}
			}
			return rows, truth
		}
	}
	return []taste{
		{"one direction", func(r *rand.Rand) ([]palate.Embedding, []bool) {
			return rows, best(rows, along(normalOf(r, len(rows[0]))))
		}},
		{"one stretch of a quarter", islands(1, len(rows)/4)},
		{"three stretches", islands(3, len(rows)/12)},
		{"ten stretches", islands(10, len(rows)/40)},
		{"noise", func(r *rand.Rand) ([]palate.Embedding, []bool) {
			return rows, best(rows, func(int, palate.Embedding) float64 { return r.Float64() })
		}},
	}
}

// ofSubjects are tastes for the pictures of some subjects, a fifth of all,
// drawn as the pictures show them: a person likes all of these, or each with a
// chance of .8 and any other with .08.
func ofSubjects(rows []palate.Embedding, file string) ([]taste, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	of := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if len(of) == len(rows)+1 {
		of = of[1:] // the head of a table
	}
	if len(of) != len(rows) {
		return nil, fmt.Errorf("%s has %d lines for %d rows", file, len(of), len(rows))
	}
	subjects := func(r *rand.Rand) []bool {
		truth := make([]bool, len(rows))
		left := len(rows) / 5
		for _, first := range r.Perm(len(rows)) {
			if left <= 0 {
				break
			}
			for i := range rows {
				if !truth[i] && of[i] == of[first] {
					truth[i] = true
					left--
				}
			}
		}
		return truth
	}
	return []taste{
		{"subjects", func(r *rand.Rand) ([]palate.Embedding, []bool) { return rows, subjects(r) }},
		{"subjects, by chance", func(r *rand.Rand) ([]palate.Embedding, []bool) {
			truth := subjects(r)
			for i, is := range truth {
				chance := .08
				if is {
					chance = .8
				}
				truth[i] = r.Float64() < chance
			}
			return rows, truth
		}},
	}, nil
}

func normal(r *rand.Rand, deviation float64) []float64 {
	x := normalOf(r, dim)
	for j := range x {
		x[j] *= deviation
	}
	return x
}

func normalOf(r *rand.Rand, dim int) []float64 {
	x := make([]float64, dim)
	for j := range x {
		x[j] = r.NormFloat64()
	}
	return x
}

func unit(x []float64) palate.Embedding {
	var square float64
	for _, v := range x {
		square += v * v
	}
	out := make(palate.Embedding, len(x))
	for j, v := range x {
		out[j] = float32(v / math.Sqrt(square))
	}
	return out
}

// along scores by a direction.
func along(direction []float64) func(int, palate.Embedding) float64 {
	return func(_ int, e palate.Embedding) (sum float64) {
		for j, x := range e {
			sum += direction[j] * float64(x)
		}
		return sum
	}
}

func noisy(r *rand.Rand, score func(int, palate.Embedding) float64, deviation float64) func(int, palate.Embedding) float64 {
	return func(i int, e palate.Embedding) float64 { return score(i, e) + deviation*r.NormFloat64() }
}

// best likes the share of the pictures that score highest.
func best(pictures []palate.Embedding, score func(int, palate.Embedding) float64) []bool {
	scores := make([]float64, len(pictures))
	for i, e := range pictures {
		scores[i] = score(i, e)
	}
	least := slices.Sorted(slices.Values(scores))[int((1-liked)*float64(len(scores)))]
	truth := make([]bool, len(pictures))
	for i, s := range scores {
		truth[i] = s >= least
	}
	return truth
}
