package index

import (
	"math"

	"github.com/palate-art/palate"
)

// Collapser keeps one of every group of near duplicates, as Query.Collapse
// says. It is given the hits from the best down, with their embeddings.
type Collapser struct {
	least float64
	kept  []collapsed
	// Two embeddings x and y with a product of at least c are at most
	// √(‖x‖²+‖y‖²−2c) apart, so by Cauchy and Schwarz their scores differ by
	// at most that times the norm of the query vector.
	reach float64
}

type collapsed struct {
	score     float64
	embedding palate.Embedding
}

// maxEmbeddingNorm is what palate.Embedding.Validate lets pass.
const maxEmbeddingNorm = 1 + 1e-3

// NewCollapser returns a Collapser for the hits of one query vector.
func NewCollapser(collapse float32, vector []float32) *Collapser {
	var norm float64
	for _, v := range vector {
		norm += float64(v) * float64(v)
	}
	apart := math.Sqrt(2*maxEmbeddingNorm*maxEmbeddingNorm - 2*float64(collapse))
	return &Collapser{least: float64(collapse), reach: math.Sqrt(norm) * (apart + 1e-5)}
}

// Keep reports whether a hit is kept. The embedding must stay as it is while
// the Collapser is in use.
func (c *Collapser) Keep(score float32, embedding palate.Embedding) bool {
	for i := len(c.kept) - 1; i >= 0 && c.kept[i].score <= float64(score)+c.reach; i-- {
		if product(c.kept[i].embedding, embedding) >= c.least {
			return false
		}
	}
	c.kept = append(c.kept, collapsed{float64(score), embedding})
	return true
}

func product(a, b palate.Embedding) float64 {
	b = b[:len(a)]
	var sum float64
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}
