package probe

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
)

// Example is one image with what a person said of it. A skip is not an
// example.
type Example struct {
	// Image names the picture; the zero ID stands for a row without one.
	Image palate.ImageID
	// Row numbers an example without a picture, such as a row of a file.
	Row       int
	Embedding palate.Embedding // read, never kept or changed
	Liked     bool

	// Group holds examples together that show the same work: no split puts
	// some of them into training and others aside. Empty is a group of its
	// own. Examples with the same embedding are always of one group.
	Group string

	// Weight multiplies the class's weight; 0 is 1. Examples of one group and
	// verdict share one such weight: a work counts once however often it is
	// there.
	Weight float64

	// Stars are the grade beside the verdict, 0 for none. Linear kinds learn
	// how much of a like it is; the judge goes by the verdict alone.
	Stars palate.Stars

	// Sketch gives the picture in small, as the server keeps it: 48 × 48 bytes of
	// brightness row by row from the top left whatever its shape, and 12 × 12 signed
	// bytes of Cb and as many of Cr; nil, or none, is fine. It
	// shows whether two examples are of one work, see Config.NearDuplicates,
	// and is called from several goroutines, seldom twice in a search.
	Sketch func() []byte

	// Shown says how the picture came before the person, Artist and Site
	// where it is from; all may be empty. They break the report down.
	Shown  palate.Shown
	Artist string
	Site   string

	// Features are further rows of the picture by name, each of norm 1 and
	// read only: what another model makes of it, for kinds that learn from it
	// (see LogisticOn). A row may be missing.
	Features map[string]palate.Embedding
}

// The names of rows that kinds of this package learn from.
const (
	// Baseline is what the built-in model makes of a picture.
	Baseline = "baseline"
	// MeanPatch is the mean of the model's patch tokens.
	MeanPatch = "mean patch"
)

// NotEnoughError says that the ratings are too few or too one-sided to learn
// from. It is a palate.ErrConflict: more ratings cure it.
type NotEnoughError struct {
	// Likes and Dislikes are what there is, counted by group.
	Likes, Dislikes int
	// NeedLikes and NeedDislikes are how many more are needed.
	NeedLikes, NeedDislikes int
}

// Error says what there is and what is missing.
func (e *NotEnoughError) Error() string {
	have := count(e.Likes, "like") + " and " + count(e.Dislikes, "dislike")
	switch {
	case e.NeedLikes > 0 && e.NeedDislikes > 0:
		return have + "; " + count(e.NeedLikes, "more like") + " and " + count(e.NeedDislikes, "more dislike") + " are needed"
	case e.NeedLikes > 0:
		return have + "; " + needed(e.NeedLikes, "more like")
	}
	return have + "; " + needed(e.NeedDislikes, "more dislike")
}

// Unwrap gives the kind of the error.
func (e *NotEnoughError) Unwrap() error { return palate.ErrConflict }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func needed(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " is needed"
	}
	return count(n, noun) + " are needed"
}

// Enough returns a *NotEnoughError if there are fewer than MinPerClass likes
// or dislikes; examples of one group count once. Examples that can't be
// learned from are palate.ErrInvalid, as in Train.
func (c Config) Enough(examples []Example) error {
	set, err := collect(context.Background(), examples, c.comparisons())
	if err != nil {
		return err
	}
	return c.enough(set)
}

func (c Config) enough(s *collection) error {
	likes, dislikes := s.Count()
	if likes >= c.MinPerClass && dislikes >= c.MinPerClass {
		return nil
	}
	return &NotEnoughError{
		Likes: likes, Dislikes: dislikes,
		NeedLikes: max(0, c.MinPerClass-likes), NeedDislikes: max(0, c.MinPerClass-dislikes),
	}
}
