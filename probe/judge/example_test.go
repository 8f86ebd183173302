package judge_test

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// A method of one's own, here the mean of two made-up measures, is judged by
// what it says of pictures that it has not learned from.
func ExampleSet_Judge() {
	brightness := func(image palate.ImageID) float64 { return float64(image[1]%10) / 10 }
	var examples []judge.Example
	for i := range 60 {
		examples = append(examples, judge.Example{
			Image: palate.ImageID{1, byte(i)}, Liked: i%10 > 5,
			Group: fmt.Sprint("series ", i/3), // held out together
		})
	}
	set, err := judge.NewSet(examples)
	if err != nil {
		panic(err)
	}
	splits, err := set.Splits(judge.Plan{Folds: 5, Repeats: 1, Seed: 1})
	if err != nil {
		panic(err)
	}
	mine := judge.Predictions{Method: "the brighter the better"}
	for _, split := range splits {
		round := judge.Round{Split: split, Scores: make([]float64, set.Len())}
		for fold := range split.Folds {
			// What needs learning learns from split.Train(fold) here.
			for _, i := range split.Held(fold) {
				round.Scores[i] = brightness(set.Examples()[i].Image)
			}
		}
		mine.Rounds = append(mine.Rounds, round)
	}
	report, err := set.Judge(context.Background(), judge.DefaultConfig(), mine)
	if err != nil {
		panic(err)
	}
	fmt.Printf("AUC %.2f on %d works\n", report.AUC, report.Groups)
	// Output: AUC 1.00 on 20 works
}
