package vit_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

// randomSpec draws an architecture of one of the families.
func randomSpec(random *rand.Rand) spec {
	s := spec{
		depth: 1 + random.IntN(3), heads: 1 + random.IntN(4), hidden: 3 + random.IntN(60), patch: 2 + random.IntN(5),
		rows: 1 + random.IntN(6), positionPrefix: 1, epsilon: 1e-6,
	}
	s.columns = s.rows
	s.noQKVBias = random.IntN(5) == 0
	s.dim = s.heads * 8 * (1 + random.IntN(3))
	switch random.IntN(5) {
	case 0: // plain ViT
		s.pooledNorm = random.IntN(2) == 0
	case 1:
		s.layerScale = true
		s.positionPrefix = random.IntN(2)
	case 2:
		s.layerScale, s.registers = true, 1+random.IntN(5)
		if random.IntN(2) == 0 {
			s.positionPrefix = 0
		}
	case 3:
		s.layerScale, s.swiglu = true, true
	case 4:
		s.rotary, s.swiglu = true, true
		s.separateGate = random.IntN(2) == 0
		s.innerNorm = s.separateGate && random.IntN(2) == 0
		s.pooledNorm = random.IntN(2) == 0
	}
	return s
}

func randomPixels(random *rand.Rand, batch, width, height int) ort.Tensor {
	t := ort.Tensor{Shape: []int64{int64(batch), 3, int64(height), int64(width)}, Data: make([]float32, batch*3*height*width)}
	for i := range t.Data {
		t.Data[i] = float32(random.NormFloat64())
	}
	return t
}

func narrow(m *mat.Dense) []float32 { return narrowed(m.RawMatrix().Data) }

func narrowed(values []float64) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(v)
	}
	return out
}

// Whatever the architecture, naming, size, form, pool and rule, a graph
// computes what the formulas do.
func TestRandomModelsComputeTheFormulas(t *testing.T) {
	race.Long(t)
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 4))
		s := randomSpec(random)
		parameters := randomParameters(s, random)
		styles := append(transformersStyles(s), timmStyle(s))
		chosen := styles[random.IntN(len(styles))]
		width, height := s.patch*(1+random.IntN(7)), s.patch*(1+random.IntN(7))
		o := vit.Options{Width: width, Height: height, Fit: embedder.FitStretch, Tokens: random.IntN(2) == 0}
		o.Form = []vit.Form{vit.Fused, vit.Plain}[random.IntN(2)]
		o.Pool = []vit.Pool{vit.PoolClass, vit.PoolMean, vit.PoolBoth}[random.IntN(3)]
		o.Resampling = []vit.Resampling{vit.ResampleAntialias, vit.ResampleCubic}[random.IntN(2)]
		o.GPU = random.IntN(3) == 0
		if random.IntN(3) == 0 {
			o.Fit = embedder.FitWhole
		}
		if s.pooledNorm {
			o.Pool = vit.PoolMean
		}
		if seed < 2 { // as many tokens as change the operator of attention
			width, height = s.patch*24, s.patch*30
			o.Width, o.Height, o.Form, o.GPU = width, height, vit.Fused, false
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			file := memoryFile(t, chosen.tensors(parameters))
			a, err := vit.Inspect(file, fmt.Appendf(nil, `{"num_heads": %d, "layer_norm_eps": %v, "depth": %d, "qkv_bias": %v}`, s.heads, s.epsilon, s.depth, !s.noQKVBias))
			if err != nil {
				t.Fatal(err)
			}
			m := build(t, file, a, o)
			r := reference{s, parameters, o.Resampling == vit.ResampleAntialias}
			for range 2 {
				pixels := randomPixels(random, 1+random.IntN(2), width, height)
				out := m.run(t, pixels)
				one := 3 * width * height
				var tokens, features []float32
				for i := range int(pixels.Shape[0]) {
					all, feature := r.run(pixels.Data[i*one:][:one], width, height, string(o.Pool))
					tokens, features = append(tokens, narrow(all)...), append(features, narrowed(feature)...)
				}
				near(t, fmt.Sprintf("%+v %+v: embedding", s, o), out[vit.EmbeddingName], features)
				if o.Tokens {
					near(t, fmt.Sprintf("%+v %+v: tokens", s, o), out[vit.TokensName], tokens)
				}
				if o.Fit == embedder.FitWhole { // the same graph for another shape
					width, height = s.patch*(1+random.IntN(7)), s.patch*(1+random.IntN(7))
				}
			}
		})
	}
}
