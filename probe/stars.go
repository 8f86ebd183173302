package probe

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
)

// likeShare is how much of a like an example is to linear kinds: a quarter more
// with each star. What has no stars, or was called otherwise than its stars
// usually are, is what it was called. See docs/decisions/0049.
func (e Example) likeShare() float64 {
	called := palate.Dislike
	if e.Liked {
		called = palate.Like
	}
	switch {
	case e.Stars.Verdict() == called:
		return float64(e.Stars-1) / float64(palate.MostStars-1)
	case e.Liked:
		return 1
	}
	return 0
}

// addBetween takes in the pictures that are neither liked nor disliked.
func (s *collection) addBetween(between []Example) error {
	s.between = slices.Clone(between)
	slices.SortStableFunc(s.between, func(a, b Example) int {
		return cmp.Or(bytes.Compare(a.Image[:], b.Image[:]), cmp.Compare(a.Row, b.Row), slices.Compare(a.Embedding, b.Embedding))
	})
	for _, e := range s.between {
		if err := e.Embedding.Validate(len(s.examples[0].Embedding)); err != nil {
			return fmt.Errorf("probe: %v, which is neither liked nor disliked: %w", e.named(), err)
		}
	}
	return nil
}

// lesson is what linear kinds learn of the named examples and of the pictures
// between, with the weights that it gives the classes. A picture that is partly
// a like stands in it twice.
func (l *learner) lesson(numbers []int) (Samples, ClassWeights) {
	likes, dislikes := .5*float64(len(l.between)), .5*float64(len(l.between))
	for _, number := range numbers {
		share, weight := l.collection.examples[number].likeShare(), l.collection.Weight(number)
		likes, dislikes = likes+share*weight, dislikes+(1-share)*weight
	}
	like, dislike := l.config.ClassWeights.of(likes, dislikes)
	class := ClassWeights{Like: like, Dislike: dislike}
	out := l.shares(numbers, class)
	for _, row := range l.between {
		out.add(row, .5*class.Like, .5*class.Dislike)
	}
	return out, class
}

// lessons are the lesson of a fold's training part and what is held out,
// weighed as that is.
func (l *learner) lessons(numbers, part []int, fold int) (train, held Samples, class ClassWeights) {
	train, class = l.lesson(side(numbers, part, fold, false))
	return train, l.shares(side(numbers, part, fold, true), class), class
}

// shares are the named examples by how much of a like they are.
func (l *learner) shares(numbers []int, class ClassWeights) Samples {
	var out Samples
	for _, number := range numbers {
		share, weight := l.collection.examples[number].likeShare(), l.collection.Weight(number)
		out.add(l.rows[number], share*weight*class.Like, (1-share)*weight*class.Dislike)
	}
	return out
}

// add adds a row as a like and as a dislike of these weights; 0 is not at all.
func (s *Samples) add(row []float32, like, dislike float64) {
	for _, one := range []struct {
		liked  bool
		weight float64
	}{{true, like}, {false, dislike}} {
		if one.weight > 0 {
			s.Rows, s.Liked, s.Weights = append(s.Rows, row), append(s.Liked, one.liked), append(s.Weights, one.weight)
		}
	}
}
