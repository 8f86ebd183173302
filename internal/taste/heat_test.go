package taste_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// seen is a picture of 3 × 2 patches with its class token.
type seen struct {
	patches embedder.Patches
	class   []float32
}

func look(random *rand.Rand, width int) seen {
	token := func() []float32 {
		t := make([]float32, width)
		for i := range t {
			t[i] = float32(random.NormFloat64() + .3)
		}
		return t
	}
	s := seen{patches: embedder.Patches{Columns: 3, Rows: 2, Shown: embedder.Area{MinX: .1, MaxX: .9, MaxY: 1}}, class: token()}
	for range 6 {
		s.patches.Tokens = append(s.patches.Tokens, token())
	}
	return s
}

func (s seen) mean() []float32 {
	mean := make([]float32, len(s.class))
	for _, token := range s.patches.Tokens {
		for i, v := range token {
			mean[i] += v / float32(len(s.patches.Tokens))
		}
	}
	return mean
}

func normalised(v []float32) palate.Embedding {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	e := make(palate.Embedding, len(v))
	for i, x := range v {
		e[i] = float32(float64(x) / math.Sqrt(square))
	}
	return e
}

func TestPatchesAddUpToTheScore(t *testing.T) {
	const width = 16
	random := rand.New(rand.NewPCG(5, 5))
	for range 50 {
		s := look(random, width)
		for _, tc := range []struct {
			name  string
			pool  []float32
			exact bool
		}{
			{"mean", s.mean(), true},
			{"class token", s.class, false},
			{"both", append(append([]float32{}, s.class...), s.mean()...), true},
		} {
			learned := &probe.Probe{Model: model, Bias: random.NormFloat64(), Weights: make([]float32, len(tc.pool))}
			for i := range learned.Weights {
				learned.Weights[i] = float32(3 * random.NormFloat64())
			}
			v, e := taste.Version{Learned: learned}, normalised(tc.pool)
			h, err := v.Heat(palate.ImageID{}, e, s.patches)
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			sum := h.Rest
			for _, p := range h.Patches {
				sum += p
			}
			if math.Abs(sum-learned.Score(e)) > 1e-5 || h.Score.Logit != learned.Score(e) || h.Exact != tc.exact {
				t.Errorf("%s: the patches and the rest are %v, exact: %v; want %v, %v", tc.name, sum, h.Exact, learned.Score(e), tc.exact)
			}
			if h.Columns != 3 || h.Rows != 2 || len(h.Patches) != 6 || h.Shown != s.patches.Shown {
				t.Errorf("%s: got %+v", tc.name, h)
			}
			// What is no patch's is the bias, and the class token's share of both.
			rest := learned.Bias
			for i := range len(tc.pool) - width {
				rest += float64(learned.Weights[i]) * float64(e[i])
			}
			if tc.exact && math.Abs(h.Rest-rest) > 1e-5 {
				t.Errorf("%s: the rest is %v, want %v", tc.name, h.Rest, rest)
			}
		}
	}
}

// A patch that the probe likes stands out, and one that it doesn't.
func TestHeatIsWhereItComesFrom(t *testing.T) {
	s := look(rand.New(rand.NewPCG(1, 2)), 4)
	for i := range s.patches.Tokens {
		s.patches.Tokens[i] = []float32{0, 0, 1, 0}
	}
	s.patches.Tokens[1] = []float32{2, 0, 1, 0}
	s.patches.Tokens[5] = []float32{0, 1, 1, 0}
	v := taste.Version{Learned: &probe.Probe{Model: model, Weights: []float32{1, -1, 0, 0}}}
	h, err := v.Heat(palate.ImageID{}, normalised(s.mean()), s.patches)
	must(t, err)
	if h.Patches[0] != 0 || h.Patches[1] <= 0 || math.Abs(h.Patches[1]+2*h.Patches[5]) > 1e-9 {
		t.Errorf("got %v, want the second for it and the last half as much against it", h.Patches)
	}
}

func TestPatchesThatDoNotFitAreRefused(t *testing.T) {
	s := look(rand.New(rand.NewPCG(3, 3)), 8)
	v := taste.Version{Learned: &probe.Probe{Model: model, Weights: make([]float32, 8)}}
	e := normalised(s.class)
	short, none, zero := s.patches, embedder.Patches{}, s.patches
	short.Tokens = short.Tokens[:5]
	zero.Tokens = [][]float32{make([]float32, 8), make([]float32, 8), make([]float32, 8), make([]float32, 8), make([]float32, 8), make([]float32, 8)}
	for name, p := range map[string]embedder.Patches{"too few": short, "none": none, "of another width": look(rand.New(rand.NewPCG(1, 1)), 5).patches, "zero": zero} {
		if _, err := v.Heat(palate.ImageID{}, e, p); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want %v", name, err, palate.ErrInvalid)
		}
	}
	if _, err := v.Heat(palate.ImageID{}, e[:4], s.patches); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("another embedding: got %v, want %v", err, palate.ErrInvalid)
	}
}
