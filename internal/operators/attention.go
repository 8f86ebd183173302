package operators

import (
	"fmt"
	"math"

	"github.com/palate-art/palate"
)

// Attention is the shape of mixed = softmax(q·kᵀ/√width)·v of each head, where q,
// k and v are one tensor qkv [batch, tokens, 3, heads, width]. mixed is [batch,
// tokens, heads, width], and logs [batch, heads, tokens] are the logarithms of
// what the softmax divides by.
type Attention struct {
	Batch, Tokens, Heads, Width int
	Terms                       Terms
}

func (a Attention) check(qkv, mixed, logs []float32) error {
	n := a.Batch * a.Tokens * a.Heads
	if min(a.Batch, a.Tokens, a.Heads, a.Width) < 0 || len(qkv) != 3*n*a.Width || len(mixed) != n*a.Width || len(logs) != n || a.Terms != Bfloat16 && a.Terms != Bfloat16x3 {
		return fmt.Errorf("attention %+v of %d numbers into %d and %d: %w", a, len(qkv), len(mixed), len(logs), palate.ErrInvalid)
	}
	return nil
}

// Plain is what an attention and the gradient of qkv are, in float64.
func (a Attention) Plain(gradient, qkv []float32) (mixed, dqkv []float64) {
	row := a.Heads * a.Width
	mixed, dqkv = make([]float64, a.Batch*a.Tokens*row), make([]float64, len(qkv))
	for item := range a.Batch * a.Heads {
		// A token's values of this head: of part 0, 1 or 2 of qkv, and of mixed.
		at := func(token, part int) int {
			return ((item/a.Heads*a.Tokens+token)*3+part)*row + item%a.Heads*a.Width
		}
		out := func(token int) int { return (item/a.Heads*a.Tokens+token)*row + item%a.Heads*a.Width }
		product := func(x, y []float32) (sum float64) {
			for w := range a.Width {
				sum += float64(x[w]) * float64(y[w])
			}
			return sum
		}
		scale := 1 / math.Sqrt(float64(a.Width))
		shares, slopes := make([]float64, a.Tokens), make([]float64, a.Tokens)
		for i := range a.Tokens {
			var sum, mean float64
			for j := range shares {
				shares[j] = math.Exp(scale * product(qkv[at(i, 0):], qkv[at(j, 1):]))
				sum += shares[j]
			}
			for j := range shares {
				shares[j] /= sum
				slopes[j] = product(gradient[out(i):], qkv[at(j, 2):])
				mean += shares[j] * slopes[j]
			}
			for j, share := range shares {
				slope := share * (slopes[j] - mean) * scale
				for w := range a.Width {
					mixed[out(i)+w] += share * float64(qkv[at(j, 2)+w])
					dqkv[at(i, 0)+w] += slope * float64(qkv[at(j, 1)+w])
					dqkv[at(j, 1)+w] += slope * float64(qkv[at(i, 0)+w])
					dqkv[at(j, 2)+w] += share * float64(gradient[out(i)+w])
				}
			}
		}
	}
	return mixed, dqkv
}
