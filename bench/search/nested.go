package main

import (
	"math"
	"math/rand/v2"
)

// Nested data is clusters of clusters, as embeddings of pictures are: a few
// kinds of art, schools within them, painters within those, and their pictures
// about each painter. Kinds, schools and painters are of unequal size.
const (
	branches = 12 // of each level
	levels   = 3
)

// spreads are how far what belongs to a centre lies from it, level by level.
var spreads = [levels]float64{.6, .45, .35}

// drawCentres draws the innermost centres, one after the other of the same
// parent.
func (c *collection) drawCentres(r *rand.Rand) {
	parents := [][]float32{nil}
	for level := range levels {
		var children [][]float32
		for _, parent := range parents {
			for range branches {
				child := make([]float32, c.dim)
				if parent == nil {
					c.direction(r, child, nil)
				} else {
					c.near(r, child, parent, spreads[level-1])
				}
				children = append(children, child)
			}
		}
		parents = children
	}
	c.centres = parents
}

// drawNested draws a point about one of the centres; the first of each parent
// have more than the last.
func (c *collection) drawNested(r *rand.Rand, v []float32) {
	at := 0
	for range levels {
		u := r.Float64()
		at = at*branches + int(u*u*branches)
	}
	c.near(r, v, c.centres[at], spreads[levels-1])
}

// near draws a direction at about that distance from a centre.
func (c *collection) near(r *rand.Rand, v, centre []float32, distance float64) {
	share := distance / math.Sqrt(float64(len(v)))
	var squares float64
	for i := range v {
		x := float64(centre[i]) + share*r.NormFloat64()
		v[i] = float32(x)
		squares += x * x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(squares))
	}
}
