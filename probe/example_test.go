package probe_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
)

// Embeddings of any model will do, brought to length 1.
func ExampleTrain() {
	random := rand.New(rand.NewPCG(1, 2))
	embed := func(liked bool) palate.Embedding {
		angle := random.NormFloat64() * .4
		if !liked {
			angle += 2
		}
		return palate.Embedding{float32(math.Cos(angle)), float32(math.Sin(angle))}
	}
	var examples []probe.Example
	for i := range 60 {
		liked := i%3 == 0
		examples = append(examples, probe.Example{Image: palate.ImageID{1, byte(i)}, Embedding: embed(liked), Liked: liked})
	}
	taste, report, err := probe.Train(context.Background(), examples, "the model that made the embeddings", probe.DefaultConfig())
	if err != nil {
		panic(err)
	}
	unrated := palate.Embedding{1, 0}
	fmt.Println(report.Likes, report.Dislikes, report.AUC > .9)
	fmt.Println(taste.Probability(taste.Score(unrated)) > .5)
	// Output:
	// 20 40 true
	// true
}
