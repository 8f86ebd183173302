package taste

import (
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
)

// Heat says where in a picture its score comes from. The Patches and Rest add
// up to the logit.
type Heat struct {
	Columns, Rows int
	// Patches is what each patch adds to the logit, row by row.
	Patches []float64
	// Rest is what comes from no patch: the bias, and with pool "both" what
	// the class token adds.
	Rest float64
	// Exact tells that each patch adds just that. Else the model does not take
	// the mean of its patches, and Patches is what they would add if it did:
	// where in the picture the probe sees what it is for and against.
	Exact bool
	Shown embedder.Area // what of the upright picture the patches cover
	Score Score
}

// sameDirection is the least cosine of the patches' mean and what is taken for
// it in the embedding: float16 rounds by less.
const sameDirection = 1 - 1e-5

// Heat shares a picture's score out among its patches, of which the embedding
// was made. A mean-pooled model's embedding is m/‖m‖ with m = Σt/P over the
// tokens t of its P patches, so that t adds w·t/(P‖m‖) to the score. That a
// model pools so is not believed but seen: the patches' mean must have the
// embedding's direction, or that of its second half where the embedding is the
// class token followed by the mean. Patches of another width than either are
// palate.ErrInvalid. Where neighbours count, the score is such a function all
// around the picture: that of its nearest neighbours.
func (v Version) Heat(id palate.ImageID, e palate.Embedding, p embedder.Patches) (Heat, error) {
	if err := e.Validate(len(v.Learned.Weights)); err != nil {
		return Heat{}, err
	}
	score := v.scoreOf(id, e)
	width := 0
	if len(p.Tokens) > 0 {
		width = len(p.Tokens[0])
	}
	if width == 0 || len(p.Tokens) != p.Columns*p.Rows || len(e) != width && len(e) != 2*width {
		return Heat{}, fmt.Errorf("heat map: %d tokens of width %d in %d rows of %d for an embedding of %d: %w",
			len(p.Tokens), width, p.Rows, p.Columns, len(e), palate.ErrInvalid)
	}
	pooled, weights := e[len(e)-width:], v.Learned.WeightsAt(id, e)[len(e)-width:]
	mean := make([]float64, width)
	h := Heat{Columns: p.Columns, Rows: p.Rows, Patches: make([]float64, len(p.Tokens)), Shown: p.Shown, Score: score}
	count := float64(len(p.Tokens))
	for k, token := range p.Tokens {
		for j, x := range token {
			mean[j] += float64(x) / count
			h.Patches[k] += float64(weights[j]) * float64(x)
		}
	}
	var norm, share, product float64 // of the mean, of what is taken for it, of the two
	for j, m := range mean {
		norm += m * m
		share += float64(pooled[j]) * float64(pooled[j])
		product += m * float64(pooled[j])
	}
	norm, share = math.Sqrt(norm), math.Sqrt(share)
	if norm == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) || share == 0 {
		return Heat{}, fmt.Errorf("heat map: the patches' mean has norm %v, its part of the embedding %v: %w", norm, share, palate.ErrInvalid)
	}
	h.Exact = product >= sameDirection*norm*share
	h.Rest = score.Logit
	for k := range h.Patches {
		h.Patches[k] *= share / (count * norm)
		h.Rest -= h.Patches[k]
	}
	return h, nil
}
