package probe

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// split assigns the named examples to at most folds parts, so that each has
// about the same share of likes and of dislikes and no group is in two parts.
// It returns the part of each name and the number of parts, which is 0 if the
// groups can't be split into two parts that both leave likes and dislikes for
// training.
func (s *collection) split(numbers []int, folds int, random *rand.Rand) (part []int, parts int) {
	type bundle struct {
		group           int
		likes, dislikes float64
		members         []int // places in numbers
	}
	place := make(map[int]int)
	var bundles []*bundle
	var likes, dislikes float64
	var groupsWith [2]int
	for i, number := range numbers {
		group := s.groups[number]
		at, seen := place[group]
		if !seen {
			at = len(bundles)
			place[group] = at
			bundles = append(bundles, &bundle{group: group})
		}
		b := bundles[at]
		b.members = append(b.members, i)
		if s.examples[number].Liked {
			b.likes++
			likes++
		} else {
			b.dislikes++
			dislikes++
		}
	}
	for _, b := range bundles {
		if b.likes > 0 {
			groupsWith[0]++
		}
		if b.dislikes > 0 {
			groupsWith[1]++
		}
	}
	random.Shuffle(len(bundles), func(i, j int) { bundles[i], bundles[j] = bundles[j], bundles[i] })
	// The large and the mixed ones first, while there is room to even out.
	slices.SortStableFunc(bundles, func(a, b *bundle) int { return cmp.Compare(len(b.members), len(a.members)) })

	part = make([]int, len(numbers))
	for parts = min(folds, groupsWith[0], groupsWith[1]); parts >= 2; parts-- {
		has := make([][2]float64, parts)
		for _, b := range bundles {
			// How uneven the parts become: adding g to a part that has c
			// adds 2cg+g² to the sum of squares, and g² is the same in all.
			chosen := 0
			cost := func(f int) float64 {
				return has[f][0]*b.likes/(likes*likes) + has[f][1]*b.dislikes/(dislikes*dislikes)
			}
			for f := 1; f < parts; f++ {
				c, best := cost(f), cost(chosen)
				if c < best || c == best && has[f][0]+has[f][1] < has[chosen][0]+has[chosen][1] {
					chosen = f
				}
			}
			has[chosen][0] += b.likes
			has[chosen][1] += b.dislikes
			for _, i := range b.members {
				part[i] = chosen
			}
		}
		if !slices.ContainsFunc(has, func(h [2]float64) bool { return h[0] == likes || h[1] == dislikes }) {
			return part, parts
		}
	}
	return nil, 0
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
