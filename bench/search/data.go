package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// collection is drawn unit vectors, row after row, and queries.
type collection struct {
	kind    string
	dim     int
	vectors []float32
	queries [][]float32
	centres [][]float32
}

const (
	clusters = 20
	noise    = .02 // distance from a cluster's centre
)

func (c *collection) points() int { return len(c.vectors) / c.dim }

func (c *collection) row(i int) []float32 { return c.vectors[i*c.dim : (i+1)*c.dim : (i+1)*c.dim] }

// draw makes a collection: "spread" over all directions, "clustered" tightly
// around a few, or "nested".
func draw(kind string, points, dim, queries int, seed uint64) *collection {
	c := &collection{kind: kind, dim: dim, vectors: make([]float32, points*dim)}
	r := rand.New(rand.NewPCG(seed, 0))
	if kind == "clustered" {
		for range clusters {
			centre := make([]float32, dim)
			c.direction(r, centre, nil)
			c.centres = append(c.centres, centre)
		}
	}
	if kind == "nested" {
		c.drawCentres(r)
	}
	workers := runtime.GOMAXPROCS(0)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)+1))
			for i := points * w / workers; i < points*(w+1)/workers; i++ {
				c.drawInto(r, c.row(i))
			}
		})
	}
	wait.Wait()
	for range queries {
		q := make([]float32, dim)
		c.drawInto(r, q)
		c.queries = append(c.queries, q)
	}
	return c
}

func (c *collection) drawInto(r *rand.Rand, v []float32) {
	switch c.kind {
	case "nested":
		c.drawNested(r, v)
	case "clustered":
		c.direction(r, v, c.centres[r.IntN(len(c.centres))])
	default:
		c.direction(r, v, nil)
	}
}

func (c *collection) direction(r *rand.Rand, v, centre []float32) {
	var squares float64
	share := noise / math.Sqrt(float64(len(v)))
	for i := range v {
		x := r.NormFloat64()
		if centre != nil {
			x = float64(centre[i]) + share*x
		}
		v[i] = float32(x)
		squares += x * x
	}
	scale := float32(1 / math.Sqrt(squares))
	for i := range v {
		v[i] *= scale
	}
}

// artists is how many artists there are.
const artists = 500

func artist(i int) string { return "artist " + string(rune('a'+i%artists)) }

// rareEvery is one point in so many that the filter of 1 % passes.
const rareEvery = 100

// sum stands for the SHA-256 of row i's picture.
func sum(i int) (sum [32]byte) {
	binary.BigEndian.PutUint64(sum[8:], uint64(i))
	return sum
}

func id(i int) palate.ImageID { return palate.NewImageID(sum(i)) }

// rowOf is the row of an ID; the first two bits are the UUID's variant.
func rowOf(id palate.ImageID) int { return int(binary.BigEndian.Uint64(id[8:]) << 2 >> 2) }

// point is row i as an index gets it, with a few attributes as real ones have.
func (c *collection) point(i int) index.Point {
	a := index.Attributes{Artists: []string{artist(i)}, Licences: []string{"CC0"}, Sites: []string{"museum.example"}, Years: []int{1500 + i%450}}
	if i%rareEvery == 0 {
		a.Categories = []string{"rare"}
	}
	return index.Point{ID: id(i), Embedding: c.row(i), Attributes: a}
}
