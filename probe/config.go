package probe

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// ClassWeights says how much a like and a dislike count while learning.
type ClassWeights struct {
	// Balanced lets both classes count the same however many there are of
	// each: n/(2·n_class), as scikit-learn's "balanced". Like and Dislike
	// must be 0 then.
	Balanced bool `json:"balanced"`
	// Like and Dislike are the weights given by hand.
	Like    float64 `json:"like,omitempty"`
	Dislike float64 `json:"dislike,omitempty"`
}

// Balanced weighs the classes by the inverse of their frequency.
func Balanced() ClassWeights { return ClassWeights{Balanced: true} }

// Unweighted lets every example count the same.
func Unweighted() ClassWeights { return ClassWeights{Like: 1, Dislike: 1} }

// ParseClassWeights reads "balanced", "none" or the weights of a like and a
// dislike, as "2:1". Anything else is palate.ErrInvalid.
func ParseClassWeights(s string) (ClassWeights, error) {
	switch s {
	case "balanced":
		return Balanced(), nil
	case "none":
		return Unweighted(), nil
	}
	like, dislike, two := strings.Cut(s, ":")
	l, errLike := strconv.ParseFloat(like, 64)
	d, errDislike := strconv.ParseFloat(dislike, 64)
	if !two || errLike != nil || errDislike != nil {
		return ClassWeights{}, invalid("class weights %q, want balanced, none or LIKE:DISLIKE", s)
	}
	return ClassWeights{Like: l, Dislike: d}, nil
}

// of returns the weights of a like and a dislike among examples whose own
// weights sum to these totals, both above 0.
func (w ClassWeights) of(likes, dislikes float64) (like, dislike float64) {
	if !w.Balanced {
		return w.Like, w.Dislike
	}
	n := likes + dislikes
	return n / (2 * likes), n / (2 * dislikes)
}

func (w ClassWeights) validate() error {
	if w.Balanced {
		if w.Like != 0 || w.Dislike != 0 {
			return invalid("ClassWeights are balanced and given at once, want one of the two")
		}
		return nil
	}
	if !positive(w.Like) || !positive(w.Dislike) {
		return invalid("ClassWeights are %v for a like and %v for a dislike, want both above 0", w.Like, w.Dislike)
	}
	return nil
}

// Config says how a probe is trained.
type Config struct {
	// Kind is what learns, one that serves; nil is Logistic.
	Kind Kind

	ClassWeights ClassWeights

	// NearDuplicates looks for examples that show one work, so that they
	// stay together in every split and count once: by the distance of their
	// embeddings, and by Example.Sketch where there are any.
	NearDuplicates bool
	// Comparisons remember what the search for near-duplicates compared; nil
	// compares everything anew.
	Comparisons *Comparisons

	// Between are pictures that were graded neither a like nor a dislike, as
	// 3 stars of 5. Linear kinds learn from them as half of each; they are
	// counted nowhere and judge nothing. Their Embedding and Image are read.
	Between []Example

	// Strengths are the candidates for C, the inverse strength of the
	// regularisation as in scikit-learn, in any order. The one with the
	// lowest mean held-out loss at the median of the folds' best iterations
	// is chosen, of equals the smaller one.
	Strengths []float64

	// Folds, at least 2, is how many parts the ratings are split into; fewer
	// are made where a class has fewer examples.
	Folds int
	// InnerFolds, at least 2, is how many parts the choice of strength is
	// made with inside each fold while the probe is judged.
	InnerFolds int
	// Repeats, at least 1, is how often the judging splits anew; the
	// predictions are averaged.
	Repeats int

	// Patience is how many iterations without a better held-out loss end an
	// optimisation; 0 runs to convergence.
	Patience int
	// MaxIterations, at least 1, bounds every optimisation.
	MaxIterations int
	// Tolerance ends an optimisation when the gradient shows that the
	// objective is above its minimum by no more than this share of it.
	Tolerance float64

	// Standardise shifts and scales each feature to mean 0 and deviation 1
	// while learning. The weights are folded back: they always apply to the
	// embeddings as they are stored.
	Standardise bool

	// Calibration is how scores become probabilities.
	Calibration judge.CalibrationMethod
	// Threshold is which images shall count as liked.
	Threshold judge.ThresholdRule

	// Resamples of the bootstrap give the intervals of metrics; 0 gives none.
	Resamples int
	// Against are kinds that are judged beside the probe, on the same splits.
	Against []Kind
	// CurveShares are the shares of the ratings, above 0 and at most 1, at
	// which the learning curve is measured.
	CurveShares []float64

	// MinPerClass, at least 4 so that every fold leaves enough to choose a
	// strength with, is how many likes and how many dislikes there must be.
	MinPerClass int

	// Seed draws the splits. The same examples, in any order, with the same
	// settings and seed give the same probe.
	Seed int64
	// Parallelism bounds the goroutines at work; 0 is one for each core. It
	// has no influence on the result.
	Parallelism int
}

// comparisons are what near-duplicates are searched with; nil if they are not.
func (c Config) comparisons() *Comparisons {
	switch {
	case !c.NearDuplicates:
		return nil
	case c.Comparisons != nil:
		return c.Comparisons
	}
	return NewComparisons()
}

// DefaultConfig suits embeddings of L2 norm 1, from a dozen ratings on.
func DefaultConfig() Config {
	return Config{
		ClassWeights:   Balanced(),
		NearDuplicates: true,
		Strengths:      []float64{1, 3, 10, 30, 100},
		Folds:          5,
		InnerFolds:     3,
		Repeats:        1,
		Patience:       10,
		MaxIterations:  1000,
		Tolerance:      1e-14,
		Calibration:    judge.BestCalibration,
		Resamples:      1000,
		MinPerClass:    5,
		Seed:           1,
	}
}

// Thorough is the configuration with everything in the report that the
// examples allow: more rounds, baselines, a learning curve. Neighbours take
// time with the square of the examples, and are left out of large sets.
func (c Config) Thorough(examples []Example) Config {
	c.Repeats = max(c.Repeats, 3)
	if len(examples) > manyExamples {
		c.Repeats = 1
	}
	c.CurveShares = []float64{.1, .2, .35, .5, .7, .85, 1}
	c.Against = nil
	for _, k := range Kinds() {
		// The blend learns all of logistic regression again, which auto does.
		if k.Name() == c.kind().Name() || k == Blend || k == Neighbours && len(examples) > manyExamples || len(examples) == 0 || !Available(k, examples) {
			continue
		}
		c.Against = append(c.Against, k)
	}
	return c
}

// manyExamples is where a thorough report begins to leave things out.
const manyExamples = 3000

func (c Config) kind() Kind {
	if c.Kind == nil {
		return Logistic
	}
	return c.Kind
}

// Validate reports everything that is wrong, as palate.ErrInvalid.
func (c Config) Validate() error {
	problems := []error{c.ClassWeights.validate()}
	wrong := func(is bool, format string, args ...any) {
		if is {
			problems = append(problems, invalid(format, args...))
		}
	}
	wrong(len(c.Strengths) == 0, "Strengths are empty, want at least one")
	for _, s := range c.Strengths {
		wrong(!positive(s), "a strength is %v, want more than 0", s)
	}
	wrong(c.Folds < 2, "Folds is %d, want 2 or more", c.Folds)
	wrong(c.InnerFolds < 2, "InnerFolds is %d, want 2 or more", c.InnerFolds)
	wrong(c.Repeats < 1, "Repeats is %d, want 1 or more", c.Repeats)
	wrong(c.Patience < 0, "Patience is %d, want 0 (run to convergence) or more", c.Patience)
	wrong(c.MaxIterations < 1, "MaxIterations is %d, want 1 or more", c.MaxIterations)
	wrong(!positive(c.Tolerance) || c.Tolerance >= 1, "Tolerance is %v, want more than 0 and less than 1", c.Tolerance)
	wrong(c.MinPerClass < 4, "MinPerClass is %d, want 4 or more", c.MinPerClass)
	wrong(!c.kind().Serves(), "Kind is %s, which is judged beside others and can't serve", c.kind().Name())
	problems = append(problems, c.judging().Validate())
	for _, share := range c.CurveShares {
		wrong(!(share > 0 && share <= 1), "a share of the learning curve is %v, want more than 0 and at most 1", share)
	}
	return errors.Join(problems...)
}

// plan is how the examples are split to judge the probe.
func (c Config) plan() judge.Plan {
	return judge.Plan{Folds: c.Folds, Repeats: c.Repeats, Seed: c.Seed}
}

// judging is how it is judged.
func (c Config) judging() judge.Config {
	return judge.Config{Threshold: c.Threshold, Calibration: c.Calibration, Resamples: c.Resamples, Seed: c.Seed, Parallelism: c.Parallelism}
}

func workers(parallelism int) int {
	if parallelism > 0 {
		return parallelism
	}
	return runtime.GOMAXPROCS(0)
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 1) }

func invalid(format string, args ...any) error {
	return fmt.Errorf("probe: %s: %w", fmt.Sprintf(format, args...), palate.ErrInvalid)
}
