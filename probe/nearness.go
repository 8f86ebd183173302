package probe

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/palate-art/palate"
)

// Nearness is what a probe's neighbours add to its score: Scale times the
// score that a Neighbourhood of them gives. Nothing of it changes by use.
type Nearness struct {
	Scale float64 `json:"scale"`

	// Likes and Dislikes are the neighbours; those of one work stand one
	// after another.
	Likes    []Neighbour `json:"-"`
	Dislikes []Neighbour `json:"-"`

	hood          Neighbourhood
	like, dislike map[palate.ImageID]int // the work of each image that has an ID
	missing       int                    // neighbours without embedding
}

// Neighbour is a rated picture.
type Neighbour struct {
	Image palate.ImageID // zero where it was a row of a file
	// Work is the same for pictures that show one work, from 0 on.
	Work int
	// Embedding is nil where it was left out; see Probe.MarshalReferences.
	Embedding palate.Embedding
}

// newNearness takes the numbered examples of a collection.
func newNearness(set *collection, numbers []int, scale float64) *Nearness {
	n := &Nearness{Scale: scale}
	likes, dislikes := 0, 0
	for _, w := range set.Works(numbers) {
		into, work := &n.Dislikes, &dislikes
		if w.Liked {
			into, work = &n.Likes, &likes
		}
		for _, at := range w.Members {
			e := set.examples[numbers[at]]
			*into = append(*into, Neighbour{Image: e.Image, Work: *work, Embedding: slices.Clone(e.Embedding)})
		}
		*work++
	}
	n.index()
	return n
}

// index makes what scores of the neighbours that have an embedding.
func (n *Nearness) index() {
	n.hood, n.missing = Neighbourhood{}, 0
	side := func(of []Neighbour, into *sideOf) map[palate.ImageID]int {
		works := make(map[palate.ImageID]int)
		last, work := -1, -1
		for _, x := range of {
			if x.Embedding == nil {
				n.missing++
				continue
			}
			if x.Work != last {
				last = x.Work
				work++
			}
			into.add(x.Embedding, work)
			if !x.Image.IsZero() {
				works[x.Image] = work
			}
		}
		return works
	}
	n.like, n.dislike = side(n.Likes, &n.hood.likes), side(n.Dislikes, &n.hood.dislikes)
}

// places are the works that an image is of, -1 for none.
func (n *Nearness) places(id palate.ImageID) (like, dislike int) {
	like, dislike = -1, -1
	if work, there := n.like[id]; there {
		like = work
	}
	if work, there := n.dislike[id]; there {
		dislike = work
	}
	return like, dislike
}

func (n *Nearness) score(id palate.ImageID, e palate.Embedding) float64 {
	like, dislike := n.places(id)
	return n.Scale * n.hood.Score(e, like, dislike)
}

// CountsDislikes reports whether the score depends on the dislikes.
func (n *Nearness) CountsDislikes() bool { return n.hood.CountsDislikes() }

// Bound is the most that nearness to likes adds to the score of an image whose
// inner product with the i-th of Likes is at most least[i].
func (n *Nearness) Bound(least []float64) float64 { return n.Scale * n.hood.Bound(least) }

// WeightsAt is the linear function that the probe is at an embedding: the
// score is the inner product with these weights, and Bias. Its neighbours are
// the same all around the embedding. The caller owns the weights.
func (p *Probe) WeightsAt(id palate.ImageID, e palate.Embedding) []float32 {
	out := p.Query()
	if p.Nearness == nil {
		return out
	}
	like, dislike := p.Nearness.places(id)
	p.Nearness.hood.addWeightsAt(out, e, like, dislike, p.Nearness.Scale)
	return out
}

// Missing lists the neighbours whose embeddings were left out, each once, in
// the order of IDs; none of a probe that is whole.
func (p *Probe) Missing() []palate.ImageID {
	if p.Nearness == nil || p.Nearness.missing == 0 {
		return nil
	}
	var out []palate.ImageID
	for _, x := range slices.Concat(p.Nearness.Likes, p.Nearness.Dislikes) {
		if x.Embedding == nil {
			out = append(out, x.Image)
		}
	}
	slices.SortFunc(out, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out)
}

// Fill gives the probe embeddings that were left out. Neighbours that are not
// among them are forgotten, as pictures that were deleted are. If none is
// left it is palate.ErrConflict; an embedding of another length than the
// probe's is palate.ErrInvalid.
func (p *Probe) Fill(embeddings map[palate.ImageID]palate.Embedding) error {
	if p.Nearness == nil {
		return nil
	}
	filled := &Nearness{Scale: p.Nearness.Scale}
	for _, side := range []struct {
		from []Neighbour
		into *[]Neighbour
	}{{p.Nearness.Likes, &filled.Likes}, {p.Nearness.Dislikes, &filled.Dislikes}} {
		for _, x := range side.from {
			if x.Embedding == nil {
				x.Embedding = embeddings[x.Image]
			}
			if x.Embedding == nil {
				continue
			}
			if len(x.Embedding) != len(p.Weights) {
				return invalid("a neighbour with %d values for a probe of %d", len(x.Embedding), len(p.Weights))
			}
			*side.into = append(*side.into, x)
		}
	}
	if len(filled.Likes)+len(filled.Dislikes) == 0 {
		return fmt.Errorf("none of the pictures that the probe knows as neighbours is there any more: %w", palate.ErrConflict)
	}
	filled.index()
	p.Nearness = filled
	return nil
}

// validate reports what can't be scored with.
func (n *Nearness) validate(dim int) error {
	if !(n.Scale > 0) || math.IsInf(n.Scale, 1) {
		return invalid("the scale of the probe's neighbours is %v, want more than 0", n.Scale)
	}
	if len(n.Likes)+len(n.Dislikes) == 0 {
		return invalid("a probe of neighbours without any")
	}
	for _, side := range [][]Neighbour{n.Likes, n.Dislikes} {
		last := 0
		for _, x := range side {
			if x.Work < last || x.Work < 0 {
				return invalid("neighbours of one work do not stand together")
			}
			last = x.Work
			switch {
			case x.Embedding == nil && x.Image.IsZero():
				return invalid("a neighbour with neither image nor embedding")
			case x.Embedding == nil:
			case len(x.Embedding) != dim:
				return invalid("a neighbour with %d values for a probe of %d", len(x.Embedding), dim)
			default:
				if err := x.Embedding.Validate(dim); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
