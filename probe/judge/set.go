package judge

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/palate-art/palate"
)

// Example is what a person said of one picture.
type Example struct {
	// Image names the picture; the zero ID stands for a row without one.
	Image palate.ImageID
	// Row numbers an example without a picture, such as a row of a file.
	Row   int
	Liked bool

	// Group holds examples together that show the same work; empty is a
	// group of its own.
	Group string
	// Weight multiplies the class's weight; 0 is 1. Examples of one group and
	// verdict share one such weight.
	Weight float64

	// Shown says how the picture came before the person, Artist and Site
	// where it is from; all may be empty. They break the report down.
	Shown  palate.Shown
	Artist string
	Site   string
}

// String names the example in messages.
func (e Example) String() string {
	if e.Image.IsZero() {
		return fmt.Sprintf("row %d", e.Row)
	}
	return "image " + e.Image.String()
}

// Set is examples that are judged together. It never changes, and is safe for
// concurrent use.
type Set struct {
	examples []Example
	groups   []int     // of each example
	weights  []float64 // of each example: its share of its work's weight
}

// NewSet orders examples by image and row, of equals as they were given, so
// that splits do not depend on the caller's order. Wherever examples are
// numbered, it is in the order of Examples. An image that is given twice, or a
// weight that is not above 0, is palate.ErrInvalid.
func NewSet(examples []Example) (*Set, error) {
	s := &Set{examples: slices.Clone(examples), groups: make([]int, len(examples)), weights: make([]float64, len(examples))}
	slices.SortStableFunc(s.examples, func(a, b Example) int {
		return cmp.Or(bytes.Compare(a.Image[:], b.Image[:]), cmp.Compare(a.Row, b.Row))
	})
	named := make(map[string]int)
	groups := 0
	for i, e := range s.examples {
		if e.Weight != 0 && !positive(e.Weight) {
			return nil, invalid("%v has weight %v, want more than 0", e, e.Weight)
		}
		if i > 0 && !e.Image.IsZero() && e.Image == s.examples[i-1].Image {
			return nil, invalid("image %v is given twice: only its latest rating counts", e.Image)
		}
		group, seen := named[e.Group]
		if !seen || e.Group == "" {
			group = groups
			groups++
			named[e.Group] = group
		}
		s.groups[i] = group
	}
	for _, w := range s.Works(s.All()) {
		for _, i := range w.Members {
			s.weights[i] = s.examples[i].weight() / float64(len(w.Members))
		}
	}
	return s, nil
}

func (e Example) weight() float64 {
	if e.Weight == 0 {
		return 1
	}
	return e.Weight
}

// Len is the number of examples.
func (s *Set) Len() int { return len(s.examples) }

// Examples are the examples in their order.
func (s *Set) Examples() []Example { return slices.Clone(s.examples) }

// Liked reports what was said of an example.
func (s *Set) Liked(number int) bool { return s.examples[number].Liked }

// Weight is an example's share of the weight of its work.
func (s *Set) Weight(number int) float64 { return s.weights[number] }

// Group is the number of an example's group, from 0 on.
func (s *Set) Group(number int) int { return s.groups[number] }

// All is the list of every example's number.
func (s *Set) All() []int {
	numbers := make([]int, len(s.examples))
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

// Groups is the number of groups.
func (s *Set) Groups() int {
	if len(s.groups) == 0 {
		return 0
	}
	return 1 + slices.Max(s.groups)
}

// Count gives the number of groups that have a like and that have a dislike.
func (s *Set) Count() (likes, dislikes int) {
	liked, disliked := make(map[int]bool), make(map[int]bool)
	for i, e := range s.examples {
		if e.Liked {
			liked[s.groups[i]] = true
		} else {
			disliked[s.groups[i]] = true
		}
	}
	return len(liked), len(disliked)
}

// Work is the examples of one group and verdict among some: what counts once.
type Work struct {
	Members []int // places in the list that it was made from
	Liked   bool
}

// Works puts the numbered examples together, in the order of their first.
func (s *Set) Works(numbers []int) []Work {
	type key struct {
		group int
		liked bool
	}
	at := make(map[key]int)
	var works []Work
	for i, number := range numbers {
		k := key{s.groups[number], s.examples[number].Liked}
		if _, seen := at[k]; !seen {
			at[k] = len(works)
			works = append(works, Work{Liked: k.liked})
		}
		w := &works[at[k]]
		w.Members = append(w.Members, i)
	}
	return works
}

// Mean is the mean value of a work's members; values has one for each place.
func (w Work) Mean(values []float64) (mean float64) {
	for _, i := range w.Members {
		mean += values[i] / float64(len(w.Members))
	}
	return mean
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 1) }

func invalid(format string, args ...any) error {
	return fmt.Errorf("judge: %s: %w", fmt.Sprintf(format, args...), palate.ErrInvalid)
}
