//go:build cgo && !purego

package operators

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate"
)

// attentions are whole strips, parts of them in every direction, and more keys
// and queries than are looked at at a time.
var attentions = []Attention{
	{Batch: 1, Tokens: 32, Heads: 1, Width: 32},
	{Batch: 1, Tokens: 1, Heads: 1, Width: 1},
	{Batch: 2, Tokens: 257, Heads: 3, Width: 64},
	{Batch: 2, Tokens: 50, Heads: 2, Width: 17},
	{Batch: 1, Tokens: 130, Heads: 2, Width: 80},
	{Batch: 1, Tokens: 289, Heads: 1, Width: 64},
	{Batch: 1, Tokens: 700, Heads: 2, Width: 33},
	{Batch: 0, Tokens: 4, Heads: 2, Width: 4},
	{Batch: 2, Tokens: 0, Heads: 2, Width: 4},
}

func TestAnAttentionIsWhatItIsByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, a := range attentions {
		for _, a.Terms = range []Terms{Bfloat16, Bfloat16x3} {
			for _, size := range []float64{1, 4} { // of queries and keys: an even softmax, and one of few winners
				t.Run(fmt.Sprintf("%+v, %v", a, size), func(t *testing.T) {
					n := a.Batch * a.Tokens * a.Heads
					qkv, gradient := random(r, 3*n*a.Width), random(r, n*a.Width)
					for i := range qkv {
						if i/(a.Heads*a.Width)%3 < 2 {
							qkv[i] *= float32(size)
						}
					}
					mixed, logs, dqkv := make([]float32, n*a.Width), make([]float32, n), make([]float32, 3*n*a.Width)
					for i := range dqkv {
						dqkv[i] = float32(math.NaN()) // what is not written is seen
					}
					if err := a.Attend(qkv, mixed, logs); err != nil {
						t.Fatal(err)
					}
					if err := a.Gradient(gradient, qkv, mixed, logs, dqkv); err != nil {
						t.Fatal(err)
					}
					wantMixed, want := a.Plain(gradient, qkv)
					bound := 1e-4 * size * size
					if a.Terms == Bfloat16 {
						bound *= 400
					}
					for name, c := range map[string]struct {
						got  []float32
						want []float64
					}{"mixed": {mixed, wantMixed}, "gradient": {dqkv, want}} {
						largest := 0.
						for _, v := range c.want {
							largest = max(largest, math.Abs(v))
						}
						for i, v := range c.want {
							if !(math.Abs(float64(c.got[i])-v) <= bound*largest) {
								t.Fatalf("number %d of %s is %v, want %v ± %.1g", i, name, c.got[i], v, bound*largest)
							}
						}
					}
				})
			}
		}
	}
}

// Scores of hundreds neither overflow nor lose the rest.
func TestAnAttentionOfLargeScoresIsFinite(t *testing.T) {
	a := Attention{Batch: 1, Tokens: 40, Heads: 1, Width: 64, Terms: Bfloat16x3}
	qkv, mixed, logs := make([]float32, 3*40*64), make([]float32, 40*64), make([]float32, 40)
	for i := range qkv {
		qkv[i] = float32(30 * (1 - 2*(i/192%2)))
	}
	if err := a.Attend(qkv, mixed, logs); err != nil {
		t.Fatal(err)
	}
	for i, v := range mixed {
		if want := qkv[i/64*192]; math.Abs(float64(v-want)) > 1e-3 {
			t.Fatalf("number %d is %v, want %v", i, v, want)
		}
	}
}

// What is no number must not come out as one.
func TestAnAttentionOfWhatIsNoNumberIsNone(t *testing.T) {
	a := Attention{Batch: 1, Tokens: 40, Heads: 2, Width: 16, Terms: Bfloat16x3}
	qkv, mixed, logs := random(rand.New(rand.NewPCG(1, 1)), 3*40*32), make([]float32, 40*32), make([]float32, 80)
	qkv[5*96+3] = float32(math.NaN()) // of the query of token 5, head 0
	if err := a.Attend(qkv, mixed, logs); err != nil {
		t.Fatal(err)
	}
	for i, v := range mixed {
		if bad := math.IsNaN(float64(v)); bad != (i/16 == 10) {
			t.Fatalf("number %d is %v", i, v)
		}
	}
}

func TestAnAttentionOfOtherShapesIsRefused(t *testing.T) {
	a := Attention{Batch: 1, Tokens: 2, Heads: 3, Width: 4, Terms: Bfloat16x3}
	qkv, mixed, logs := make([]float32, 72), make([]float32, 24), make([]float32, 6)
	if err := errors.Join(a.Attend(qkv, mixed, logs), a.Gradient(mixed, qkv, mixed, logs, qkv)); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		a.Attend(qkv[1:], mixed, logs), a.Attend(qkv, mixed[1:], logs), a.Attend(qkv, mixed, logs[1:]),
		a.Gradient(mixed[1:], qkv, mixed, logs, qkv), a.Gradient(mixed, qkv, mixed, logs, qkv[1:]),
	} {
		if !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAttentionsAreTheSameEveryTime(t *testing.T) {
	a := Attention{Batch: 1, Tokens: 300, Heads: 2, Width: 64, Terms: Bfloat16x3}
	r := rand.New(rand.NewPCG(3, 4))
	qkv, gradient := random(r, 3*300*128), random(r, 300*128)
	var first []float32
	for range 3 {
		mixed, logs, dqkv := make([]float32, 300*128), make([]float32, 600), make([]float32, len(qkv))
		if err := errors.Join(a.Attend(qkv, mixed, logs), a.Gradient(gradient, qkv, mixed, logs, dqkv)); err != nil {
			t.Fatal(err)
		}
		if all := slices.Concat(mixed, logs, dqkv); first == nil {
			first = all
		} else if !slices.Equal(all, first) {
			t.Fatal("another attention of the same numbers")
		}
	}
}

// Those of ViT-S on 8 pictures of 224 × 224, and of ViT-B on one of 518 × 518.
func BenchmarkAttention(b *testing.B) {
	for _, a := range []Attention{{Batch: 8, Tokens: 257, Heads: 6, Width: 64}, {Batch: 1, Tokens: 1370, Heads: 12, Width: 64}} {
		for _, a.Terms = range []Terms{Bfloat16, Bfloat16x3} {
			n := a.Batch * a.Tokens * a.Heads
			r := rand.New(rand.NewPCG(1, 1))
			qkv, gradient, mixed, logs, dqkv := random(r, 3*n*a.Width), random(r, n*a.Width), make([]float32, n*a.Width), make([]float32, n), make([]float32, 3*n*a.Width)
			product := 2 * float64(n) * float64(a.Tokens*a.Width)
			for name, c := range map[string]struct {
				products float64
				run      func() error
			}{
				"forward": {2, func() error { return a.Attend(qkv, mixed, logs) }},
				"back":    {5, func() error { return a.Gradient(gradient, qkv, mixed, logs, dqkv) }},
			} {
				b.Run(fmt.Sprintf("%dx%d, %d terms, %s", a.Batch, a.Tokens, a.Terms, name), func(b *testing.B) {
					for b.Loop() {
						if err := c.run(); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(c.products*product/float64(b.Elapsed().Nanoseconds())*float64(b.N), "GFLOPS")
				})
			}
		}
	}
}
