// Package active is active learning: it chooses which picture to ask a person about next, so that a
// taste is learned from few ratings.
//
// A queue mixes three kinds of pictures in stated shares:
//
//   - uncertain ones, which teach most: those whose rating would lower the
//     expected error of all probabilities most (variance reduction, or
//     A-optimality, which Schein and Ungar, Active learning for logistic
//     regression: an evaluation, Machine Learning 68, 2007, found the most
//     dependable). A picture like many others counts for them, one like a judged
//     one, or like another of the same queue, tells little: so it spreads by
//     itself. It is the same before there is a probe;
//   - explored ones, drawn evenly from the collection: metrics on them are not
//     of the probe's own choice;
//   - the best ones, which keep it a pleasure.
//
// None is a near-duplicate of what was just shown or of another in the queue
// (probe.NearDuplicate, among the pictures drawn).
package active

import (
	"errors"
	"fmt"

	"github.com/palate-art/palate"
)

// Config says what a queue is made of.
type Config struct {
	// Uncertain, Explore and Top are the shares; they add up to 1.
	Uncertain, Explore, Top float64
	// Judged bounds how many ratings, the newest ones, uncertainty takes
	// account of.
	Judged int
	// Candidates bounds among how many pictures of the pool the uncertain
	// ones are chosen, and on how many their worth is measured.
	Candidates int
}

// DefaultConfig is what did best in bench/labels.
func DefaultConfig() Config {
	return Config{Uncertain: .6, Explore: .2, Top: .2, Judged: 150, Candidates: 250}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var problems []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			problems = append(problems, fmt.Errorf("active: %s: %w", fmt.Sprintf(format, args...), palate.ErrInvalid))
		}
	}
	for _, share := range []float64{c.Uncertain, c.Explore, c.Top} {
		wrong(!(share >= 0 && share <= 1), "a share is %v, want 0 to 1", share)
	}
	sum := c.Uncertain + c.Explore + c.Top
	wrong(!(sum > .999 && sum < 1.001), "the shares add up to %v, want 1", sum)
	wrong(c.Judged < 1, "Judged is %d, want 1 or more", c.Judged)
	wrong(c.Candidates < 1, "Candidates is %d, want 1 or more", c.Candidates)
	return errors.Join(problems...)
}
