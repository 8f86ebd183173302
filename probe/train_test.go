package probe_test

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

const model palate.ModelID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// world draws pictures around the centres of styles and the taste of a person
// who likes the first ones.
type world struct {
	dim, styles, liked int
	spread             float64 // of pictures around their style's centre
	flips              float64 // share of ratings that are not what the person thinks
}

func (w world) draw(seed uint64, n int) []probe.Example {
	centres := make([][]float64, w.styles)
	random := rand.New(rand.NewPCG(1, 1)) // the same styles for every seed
	for s := range centres {
		centres[s] = make([]float64, w.dim)
		for j := range centres[s] {
			centres[s][j] = random.NormFloat64()
		}
	}
	random = rand.New(rand.NewPCG(seed, 2))
	examples := make([]probe.Example, n)
	for i := range examples {
		style := random.IntN(w.styles)
		e := make(palate.Embedding, w.dim)
		var square float64
		for j := range e {
			v := centres[style][j] + w.spread*random.NormFloat64()
			e[j] = float32(v)
			square += v * v
		}
		for j := range e {
			e[j] /= float32(math.Sqrt(square))
		}
		liked := style < w.liked
		if random.Float64() < w.flips {
			liked = !liked
		}
		examples[i] = probe.Example{Image: imageID(seed, i), Embedding: e, Liked: liked}
	}
	return examples
}

func imageID(seed uint64, i int) palate.ImageID {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(i))
	return palate.NewImageID(sha256.Sum256(b[:]))
}

var museum = world{dim: 64, styles: 8, liked: 3, spread: 1.5, flips: .08}

func TestTrainLearnsATaste(t *testing.T) {
	p, _, err := probe.Train(t.Context(), museum.draw(1, 120), model, settings())
	if err != nil {
		t.Fatal(err)
	}
	truth := museum
	truth.flips = 0
	var scores []float64
	var liked []bool
	for _, e := range truth.draw(2, 400) {
		scores, liked = append(scores, p.Score(e.Embedding)), append(liked, e.Liked)
	}
	auc, low, high, err := judge.AUCInterval(scores, liked)
	if err != nil {
		t.Fatal(err)
	}
	if auc < .95 {
		t.Errorf("AUC %.3f [%.3f, %.3f] on unseen pictures, want .95 or more", auc, low, high)
	}
}

// settings are the default ones with an interval that is good enough.
func settings() probe.Config {
	c := probe.DefaultConfig()
	c.Resamples = 50
	return c
}
