package judge

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
)

// Part assigns the numbered examples to at most folds parts, so that each has
// about the same share of likes and of dislikes and no group is in two parts.
// It returns the part of each and the number of parts, which is 0 if the
// groups can't be split into two parts that both leave likes and dislikes for
// training.
func (s *Set) Part(numbers []int, folds int, random *rand.Rand) (part []int, parts int) {
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

// Plan says how a set is split to be judged.
type Plan struct {
	// Folds, at least 2, is how many parts the examples are split into; fewer
	// are made where a class has fewer groups.
	Folds int
	// Repeats, at least 1, is how often they are split anew.
	Repeats int
	// Seed draws the splits.
	Seed int64
}

// Random is a source of its own for each split: those of a round from 1 on,
// and within it of what is learned for a fold from 1 on.
func (p Plan) Random(round, fold int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(p.Seed), uint64(round)<<32|uint64(fold)))
}

// Split is one way of dividing a set into folds.
type Split struct {
	Round int // from 1 on
	Folds int
	part  []int
}

// Splits divides the set as planned. The same examples with the same plan give
// the same splits. palate.ErrInvalid for a plan that is none, and
// palate.ErrConflict if likes and dislikes are of too few groups.
func (s *Set) Splits(plan Plan) ([]Split, error) {
	if plan.Folds < 2 || plan.Repeats < 1 {
		return nil, invalid("%d folds and %d repeats, want 2 and 1 or more", plan.Folds, plan.Repeats)
	}
	splits := make([]Split, plan.Repeats)
	for i := range splits {
		part, parts := s.Part(s.All(), plan.Folds, plan.Random(i+1, 0))
		if parts == 0 {
			return nil, TooFewToSplit()
		}
		splits[i] = Split{Round: i + 1, Folds: parts, part: part}
	}
	return splits, nil
}

// TooFewToSplit is the palate.ErrConflict of examples that Part can't divide.
func TooFewToSplit() error {
	return fmt.Errorf("judge: likes and dislikes are of too few works to be split for judging: %w", palate.ErrConflict)
}

// Fold is the fold that an example is held out in.
func (s Split) Fold(number int) int { return s.part[number] }

// Train gives the numbers of the examples that may be learned from for a fold.
func (s Split) Train(fold int) []int { return s.side(fold, false) }

// Held gives the numbers of the examples that a fold holds out.
func (s Split) Held(fold int) []int { return s.side(fold, true) }

func (s Split) side(fold int, held bool) []int {
	var out []int
	for number, part := range s.part {
		if (part == fold) == held {
			out = append(out, number)
		}
	}
	return out
}
