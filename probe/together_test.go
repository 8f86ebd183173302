package probe_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
)

// Many scored together have the scores that each has alone, to the last bit,
// whatever their numbers, with copies among the examples and examples among
// what is scored.
func TestScoresTogetherAreThoseOfEach(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, dim := range []int{5, 8, 67} {
		for _, examples := range []int{25, 61, 130} {
			t.Run(fmt.Sprintf("%d values, %d examples", dim, examples), func(t *testing.T) {
				var set []probe.Example
				for i := range examples {
					e := direction(random, dim)
					if i%9 == 8 { // a copy of the one before, of the same work
						copy(e, set[i-1].Embedding)
					}
					set = append(set, probe.Example{Image: palate.ImageID{1, byte(i)}, Embedding: e, Liked: i%3 == 0 && i%9 != 8 || i%9 == 8 && i/9%2 == 0})
				}
				c := probe.DefaultConfig()
				c.Resamples, c.Folds, c.InnerFolds, c.Parallelism = 0, 2, 2, 1
				for _, kind := range []probe.Kind{probe.KNN, probe.Blend, probe.Logistic} {
					c.Kind = kind
					p, _, err := probe.Train(t.Context(), set, "test", c)
					if err != nil {
						t.Fatal(err)
					}
					var ids []palate.ImageID
					var embeddings []palate.Embedding
					for _, e := range set {
						ids, embeddings = append(ids, e.Image), append(embeddings, e.Embedding)
					}
					for i := range 21 {
						ids, embeddings = append(ids, palate.ImageID{2, byte(i)}), append(embeddings, direction(random, dim))
					}
					for i, got := range p.ScoresOf(ids, embeddings) {
						if want := p.ScoreOf(ids[i], embeddings[i]); got != want {
							t.Fatalf("%s: image %d scores %v, alone %v", kind.Name(), i, got, want)
						}
					}
				}
			})
		}
	}
	if got := (&probe.Probe{Weights: []float32{1}}).ScoresOf(nil, nil); len(got) != 0 {
		t.Errorf("nothing has scores %v", got)
	}
}

// Likes alone, and dislikes alone, are scored together too.
func TestNeighbourhoodsOfOneSideScoreTogether(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var some, asked []palate.Embedding
	for range 23 {
		some, asked = append(some, direction(random, 16)), append(asked, direction(random, 16))
	}
	none := make([]int, len(asked))
	for i := range none {
		none[i] = -1
	}
	for _, sides := range [][2][]palate.Embedding{{some, nil}, {nil, some}, {some[:1], some[1:]}, {some[:8], some[8:]}} {
		hood, err := probe.NewNeighbourhood(sides[0], sides[1])
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range hood.Scores(asked, none, none) {
			if want := hood.Score(asked[i], -1, -1); got != want {
				t.Errorf("%d likes, %d dislikes: %v, alone %v", len(sides[0]), len(sides[1]), got, want)
			}
		}
	}
}

func direction(random *rand.Rand, dim int) palate.Embedding {
	x := make([]float64, dim)
	for j := range x {
		x[j] = random.NormFloat64()
	}
	return unit(x)
}
