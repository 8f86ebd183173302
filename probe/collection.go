package probe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// collection is examples in an order that does not depend on the caller's,
// with the set that they are judged as.
type collection struct {
	*judge.Set
	examples []Example // in the order of the set
	between  []Example // Config.Between, in an order that is not the caller's

	listing sync.Mutex
	lists   *nearLists // nil before they are asked for; guarded by listing
}

// Set makes of examples what Train judges: the groups that it finds among
// them, in its order, so that whoever learns in another way can be judged on
// the same splits. near looks for near-duplicates as Config.NearDuplicates
// does. Examples that can't be learned from are palate.ErrInvalid.
func Set(ctx context.Context, examples []Example, near bool) (*judge.Set, error) {
	var compared *Comparisons
	if near {
		compared = NewComparisons()
	}
	s, err := collect(ctx, examples, compared)
	if err != nil {
		return nil, err
	}
	return s.Set, nil
}

// collect orders and groups examples that can be learned from; without
// comparisons it looks for no near-duplicates.
func collect(ctx context.Context, examples []Example, compared *Comparisons) (*collection, error) {
	s := &collection{examples: slices.Clone(examples)}
	slices.SortStableFunc(s.examples, func(a, b Example) int {
		return cmp.Or(bytes.Compare(a.Image[:], b.Image[:]), cmp.Compare(a.Row, b.Row), slices.Compare(a.Embedding, b.Embedding),
			cmp.Compare(a.Group, b.Group), compareBools(a.Liked, b.Liked), cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Stars, b.Stars))
	})
	if err := s.validate(); err != nil {
		return nil, err
	}
	var pairs [][2]int
	if compared != nil {
		var err error
		if pairs, err = compared.pairs(ctx, s.examples); err != nil {
			return nil, err
		}
	}
	said := make([]judge.Example, len(s.examples))
	for i, group := range groupsOf(s.examples, pairs) {
		said[i] = s.examples[i].named()
		said[i].Group = strconv.Itoa(group)
	}
	var err error
	if s.Set, err = judge.NewSet(said); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	return s, nil
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
	joined := newForest(len(examples))
	named := make(map[string]int)
	alike := make(map[uint64][]int)
	for i, e := range examples {
		if e.Group != "" {
			if first, seen := named[e.Group]; seen {
				joined.join(first, i)
			} else {
				named[e.Group] = i
			}
		}
		key := fingerprint(e.Embedding)
		same := slices.IndexFunc(alike[key], func(other int) bool { return slices.Equal(examples[other].Embedding, e.Embedding) })
		if same >= 0 {
			joined.join(alike[key][same], i)
		} else {
			alike[key] = append(alike[key], i)
		}
	}
	for _, pair := range pairs {
		joined.join(pair[0], pair[1])
	}
	numbers := make(map[int]int)
	groups := make([]int, len(examples))
	for i := range examples {
		r := joined.root(i)
		if _, seen := numbers[r]; !seen {
			numbers[r] = len(numbers)
		}
		groups[i] = numbers[r]
	}
	return groups
}

// forest holds what belongs together: of each tree the root is the first. Each
// points to its parent, a root to itself.
type forest []int

func newForest(n int) forest {
	f := make(forest, n)
	for i := range f {
		f[i] = i
	}
	return f
}

func (f forest) root(i int) int {
	for f[i] != i {
		f[i] = f[f[i]]
		i = f[i]
	}
	return i
}

func (f forest) join(i, j int) {
	a, b := f.root(i), f.root(j)
	f[max(a, b)] = min(a, b)
}

// fingerprint is FNV-1a over the bits of an embedding.
func fingerprint(e palate.Embedding) uint64 {
	hash := uint64(14695981039346656037)
	for _, v := range e {
		hash = (hash ^ uint64(math.Float32bits(v))) * 1099511628211
	}
	return hash
}

// named is what the judge knows of an example.
func (e Example) named() judge.Example {
	return judge.Example{Image: e.Image, Row: e.Row, Liked: e.Liked, Group: e.Group, Weight: e.Weight, Shown: e.Shown, Artist: e.Artist, Site: e.Site}
}

// validate reports the first example that can't be learned from.
func (s *collection) validate() error {
	for _, e := range s.examples {
		if len(e.Embedding) == 0 {
			return invalid("%v has no embedding", e.named())
		}
		if err := e.Embedding.Validate(len(s.examples[0].Embedding)); err != nil {
			return fmt.Errorf("probe: %v: %w", e.named(), err)
		}
		if err := e.Stars.Validate(); err != nil {
			return fmt.Errorf("probe: %v: %w", e.named(), err)
		}
	}
	return nil
}

// resolve turns class weights into the weight of a like and of a dislike
// among the named examples, which have both.
func (s *collection) resolve(numbers []int, weights ClassWeights) ClassWeights {
	var likes, dislikes float64
	for _, number := range numbers {
		if s.examples[number].Liked {
			likes += s.Weight(number)
		} else {
			dislikes += s.Weight(number)
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
		out.Weights[i] = s.Weight(number) * weights.Dislike
		if out.Liked[i] {
			out.Weights[i] = s.Weight(number) * weights.Like
		}
	}
	return out
}

// side gives the names whose part is (or is not) fold.
func side(numbers, part []int, fold int, held bool) []int {
	var out []int
	for i, number := range numbers {
		if (part[i] == fold) == held {
			out = append(out, number)
		}
	}
	return out
}
