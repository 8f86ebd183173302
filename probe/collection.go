package probe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/palate-art/palate"
)

// collection is examples in an order that does not depend on the caller's,
// with their groups numbered.
type collection struct {
	examples []Example
	groups   []int     // of each example
	weights  []float64 // of each example: its share of its work's weight
}

// collect orders and groups examples that can be learned from; others are
// palate.ErrInvalid. near looks for near-duplicates too.
func collect(ctx context.Context, examples []Example, near bool) (*collection, error) {
	s := &collection{examples: slices.Clone(examples)}
	slices.SortStableFunc(s.examples, func(a, b Example) int {
		return cmp.Or(bytes.Compare(a.Image[:], b.Image[:]), slices.Compare(a.Embedding, b.Embedding),
			cmp.Compare(a.Group, b.Group), compareBools(a.Liked, b.Liked), cmp.Compare(a.Weight, b.Weight))
	})
	if err := s.validate(); err != nil {
		return nil, err
	}
	var pairs [][2]int
	if near {
		var err error
		if pairs, err = nearDuplicates(ctx, s.examples); err != nil {
			return nil, err
		}
	}
	s.groups = groupsOf(s.examples, pairs)
	s.weights = make([]float64, len(s.examples))
	for _, w := range s.works(s.all()) {
		for _, i := range w.members {
			s.weights[i] = s.examples[i].weight() / float64(len(w.members))
		}
	}
	return s, nil
}

// work is the examples of one group and verdict among some: what counts once.
type work struct {
	members []int // places in the list that it was made from
	liked   bool
}

// works puts the named examples together, in the order of their first.
func (s *collection) works(numbers []int) []work {
	type key struct {
		group int
		liked bool
	}
	at := make(map[key]int)
	var works []work
	for i, number := range numbers {
		k := key{s.groups[number], s.examples[number].Liked}
		if _, seen := at[k]; !seen {
			at[k] = len(works)
			works = append(works, work{liked: k.liked})
		}
		w := &works[at[k]]
		w.members = append(w.members, i)
	}
	return works
}

// mean is the mean value of a work's members.
func (w work) mean(values []float64) (mean float64) {
	for _, i := range w.members {
		mean += values[i] / float64(len(w.members))
	}
	return mean
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// groupsOf numbers the groups in the order of their first examples. A group's
// name, equal embeddings and the given pairs hold examples together.
func groupsOf(examples []Example, pairs [][2]int) []int {
	parent := make([]int, len(examples)) // a forest; its roots are the groups
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	join := func(i, j int) {
		a, b := root(i), root(j)
		parent[max(a, b)] = min(a, b)
	}
	named := make(map[string]int)
	alike := make(map[uint64][]int)
	for i, e := range examples {
		parent[i] = i
		if e.Group != "" {
			if first, seen := named[e.Group]; seen {
				join(first, i)
			} else {
				named[e.Group] = i
			}
		}
		key := fingerprint(e.Embedding)
		same := slices.IndexFunc(alike[key], func(other int) bool { return slices.Equal(examples[other].Embedding, e.Embedding) })
		if same >= 0 {
			join(alike[key][same], i)
		} else {
			alike[key] = append(alike[key], i)
		}
	}
	for _, pair := range pairs {
		join(pair[0], pair[1])
	}
	numbers := make(map[int]int)
	groups := make([]int, len(examples))
	for i := range examples {
		r := root(i)
		if _, seen := numbers[r]; !seen {
			numbers[r] = len(numbers)
		}
		groups[i] = numbers[r]
	}
	return groups
}

// fingerprint is FNV-1a over the bits of an embedding.
func fingerprint(e palate.Embedding) uint64 {
	hash := uint64(14695981039346656037)
	for _, v := range e {
		hash = (hash ^ uint64(math.Float32bits(v))) * 1099511628211
	}
	return hash
}

// count gives the number of groups that have a like and that have a dislike.
func (s *collection) count() (likes, dislikes int) {
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

// validate reports the first example that can't be learned from.
func (s *collection) validate() error {
	for i, e := range s.examples {
		if len(e.Embedding) == 0 {
			return invalid("example %v has no embedding", e.Image)
		}
		if err := e.Embedding.Validate(len(s.examples[0].Embedding)); err != nil {
			return fmt.Errorf("probe: example %v: %w", e.Image, err)
		}
		if e.Weight != 0 && !positive(e.Weight) {
			return invalid("example %v has weight %v, want more than 0", e.Image, e.Weight)
		}
		if i > 0 && !e.Image.IsZero() && e.Image == s.examples[i-1].Image {
			return invalid("image %v is given twice: only its latest rating counts", e.Image)
		}
	}
	return nil
}

// all is the list of every example's number.
func (s *collection) all() []int {
	numbers := make([]int, len(s.examples))
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

// resolve turns class weights into the weight of a like and of a dislike
// among the named examples, which have both.
func (s *collection) resolve(numbers []int, weights ClassWeights) ClassWeights {
	var likes, dislikes float64
	for _, number := range numbers {
		if s.examples[number].Liked {
			likes += s.weights[number]
		} else {
			dislikes += s.weights[number]
		}
	}
	like, dislike := weights.of(likes, dislikes)
	return ClassWeights{Like: like, Dislike: dislike}
}

// samples gives the named rows, weighed by resolved weights.
func (s *collection) samples(rows [][]float32, numbers []int, weights ClassWeights) Samples {
	out := Samples{
		Rows: make([][]float32, len(numbers)), Liked: make([]bool, len(numbers)), Weights: make([]float64, len(numbers)),
	}
	for i, number := range numbers {
		out.Rows[i], out.Liked[i] = rows[number], s.examples[number].Liked
		out.Weights[i] = s.weights[number] * weights.Dislike
		if out.Liked[i] {
			out.Weights[i] = s.weights[number] * weights.Like
		}
	}
	return out
}
