// Package active is active learning: it chooses which picture to ask a person about next, so that a
// taste is learned from few ratings.
//
// A queue mixes three kinds of pictures in stated shares:
//
//   - uncertain ones, which teach most: one after another, those that bring all
//     other pictures nearest to one that was judged. Each picture counts by its
//     chance to be liked up to the fiftieth rating, so that likes, which are
//     rare, are found early, and by how doubtful its verdict is from there on.
//     A picture like many others counts for them; one like a judged one, or
//     like another of the same queue, brings nothing nearer: so it begins with
//     what is typical and spreads by itself. Before there is a probe all count
//     the same;
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
	// Early is up to how many ratings the uncertain ones are those that
	// cover what is likely liked.
	Early int
	// Judged bounds how many ratings, the newest ones, count as near.
	Judged int
	// Candidates bounds among how many pictures of the pool the uncertain
	// ones are chosen, which stand for all.
	Candidates int
}

// DefaultConfig is what did best in bench/queue.
func DefaultConfig() Config {
	return Config{Uncertain: .8, Explore: .1, Top: .1, Early: 50, Judged: 300, Candidates: 300}
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
	wrong(c.Early < 0, "Early is %d, want 0 or more", c.Early)
	wrong(c.Judged < max(1, c.Early), "Judged is %d, want 1 or more and no less than Early", c.Judged)
	wrong(c.Candidates < 1, "Candidates is %d, want 1 or more", c.Candidates)
	return errors.Join(problems...)
}
