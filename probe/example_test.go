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

// Whether another model tells the taste better is judged on the same splits:
// its vectors are rows with a name, here "other".
func ExampleLogisticOn() {
	random := rand.New(rand.NewPCG(3, 4))
	around := func(angle, spread float64) palate.Embedding {
		angle += spread * random.NormFloat64()
		return palate.Embedding{float32(math.Cos(angle)), float32(math.Sin(angle))}
	}
	var examples []probe.Example
	for i := range 60 {
		liked, angle := i%3 == 0, 0.
		if liked {
			angle = 1
		}
		examples = append(examples, probe.Example{Image: palate.ImageID{2, byte(i)}, Liked: liked,
			Embedding: around(angle, 1), Features: map[string]palate.Embedding{"other": around(angle, .2)}})
	}
	config := probe.DefaultConfig()
	config.Against = []probe.Kind{probe.LogisticOn("other"), probe.LogisticOn("", "other")}
	_, report, err := probe.Train(context.Background(), examples, "the model that made the embeddings", config)
	if err != nil {
		panic(err)
	}
	for _, beside := range report.Baselines {
		fmt.Printf("%s is better: %v\n", beside.Kind, beside.Difference.High < 0)
	}
	// Output:
	// logistic on other is better: true
	// logistic on embedding and other is better: true
}
