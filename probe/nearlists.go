package probe

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/palate-art/palate/probe/judge"
)

// listed is how many works of each verdict are remembered as an example's
// nearest. A training part has more than half of all works, so that the few
// that a score needs are nearly always among them; where they are not, all are
// measured.
const listed = 64

// nearLists knows the nearest works of every example of a collection, so that
// the many parts that a taste is learned from and judged on are measured once.
// Works of an example's own group are never near it: they show the same thing.
type nearLists struct {
	collection *collection
	works      []judge.Work // of all examples
	likes      [][]nearWork // of each example, the nearest first
	dislikes   [][]nearWork
	total      [2]int // works that are disliked, liked
}

type nearWork struct {
	work    int
	product float64
}

// nearest gives the lists of a collection, which are made when they are first
// asked for.
func (s *collection) nearest(ctx context.Context, parallelism int) (*nearLists, error) {
	s.listing.Lock()
	defer s.listing.Unlock()
	if s.lists != nil {
		return s.lists, nil
	}
	x := &nearLists{collection: s, works: s.Works(s.All()), likes: make([][]nearWork, s.Len()), dislikes: make([][]nearWork, s.Len())}
	for _, w := range x.works {
		if w.Liked {
			x.total[1]++
		} else {
			x.total[0]++
		}
	}
	groups := slices.Collect(slices.Chunk(s.All(), together))
	err := inParallel(ctx, parallelism, len(groups), func(ctx context.Context, g int) error {
		x.list(groups[g])
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("probe: nearest examples: %w", err)
	}
	s.lists = x
	return x, nil
}

// list measures some examples against all others in one pass.
func (x *nearLists) list(some []int) {
	examples := x.collection.examples
	products := make([][]float64, len(some))
	rows := make([][]float64, len(some))
	for a, i := range some {
		rows[a], products[a] = widen(examples[i].Embedding), make([]float64, len(examples))
	}
	j := 0
	for ; j+4 <= len(examples); j += 4 {
		for a, row := range rows {
			p := products[a][j : j+4]
			p[0], p[1], p[2], p[3] = dot4(row, examples[j].Embedding, examples[j+1].Embedding, examples[j+2].Embedding, examples[j+3].Embedding)
		}
	}
	for ; j < len(examples); j++ {
		for a, row := range rows {
			products[a][j] = dot(row, examples[j].Embedding)
		}
	}
	for a, i := range some {
		var likes, dislikes []nearWork
		for number, work := range x.works {
			if x.collection.Group(i) == x.collection.Group(work.Members[0]) {
				continue
			}
			best := products[a][work.Members[0]]
			for _, member := range work.Members[1:] {
				best = max(best, products[a][member])
			}
			if work.Liked {
				keep(&likes, nearWork{number, best})
			} else {
				keep(&dislikes, nearWork{number, best})
			}
		}
		x.likes[i], x.dislikes[i] = likes, dislikes
	}
}

// keep puts a work among the nearest, of equals behind the earlier one.
func keep(into *[]nearWork, w nearWork) {
	near := *into
	if len(near) == listed && w.product <= near[listed-1].product {
		return
	}
	at, _ := slices.BinarySearchFunc(near, w, func(a, b nearWork) int {
		return cmp.Or(cmp.Compare(b.product, a.product), cmp.Compare(a.work, b.work))
	})
	if len(near) == listed {
		near = near[:listed-1]
	}
	*into = slices.Insert(near, at, w)
}

// seen is what is learned from: some works of the lists.
type seen struct {
	lists           *nearLists
	in              []bool // of each work
	likes, dislikes int
}

// among says what is learned from: the works of the numbered examples, which
// are there whole or not at all.
func (x *nearLists) among(numbers []int) seen {
	s := seen{lists: x, in: make([]bool, len(x.works))}
	named := make([]bool, x.collection.Len())
	for _, number := range numbers {
		named[number] = true
	}
	for i, w := range x.works {
		if !named[w.Members[0]] {
			continue
		}
		s.in[i] = true
		if w.Liked {
			s.likes++
		} else {
			s.dislikes++
		}
	}
	return s
}

// score is what a Neighbourhood of what was seen says of an example.
func (s seen) score(number int) float64 {
	score := s.nearness(number, true)
	if s.dislikes >= enoughDislikes {
		score -= s.nearness(number, false)
	}
	return score
}

func (s seen) nearness(number int, liked bool) float64 {
	list, works, total := s.lists.dislikes[number], s.dislikes, s.lists.total[0]
	if liked {
		list, works, total = s.lists.likes[number], s.likes, s.lists.total[1]
	}
	want := nearestOf(works)
	var sum float64
	found := 0
	for _, near := range list {
		if found < want && s.in[near.work] {
			sum += near.product
			found++
		}
	}
	if found < want && len(list) == listed && total > listed {
		return s.measure(number, liked, want)
	}
	if found == 0 {
		return 0
	}
	return sum / float64(found)
}

// measure is nearness where the lists do not reach.
func (s seen) measure(number int, liked bool, want int) float64 {
	kept := nearest{max: want}
	examples := s.lists.collection.examples
	row, group := widen(examples[number].Embedding), s.lists.collection.Group(number)
	for i, w := range s.lists.works {
		if !s.in[i] || w.Liked != liked || s.lists.collection.Group(w.Members[0]) == group {
			continue
		}
		best := math.Inf(-1)
		for _, member := range w.Members {
			best = max(best, dot(row, examples[member].Embedding))
		}
		kept.add(best, i)
	}
	return kept.mean()
}
