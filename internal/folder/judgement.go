package folder

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// judgement is what is said of a picture beside it.
type judgement struct {
	// Verdict is a word, or empty.
	Verdict palate.Verdict
	// Stars are 1 to MostStars, Rejected, or 0 where none were given.
	Stars int
}

// Grade is what the stars are as a grade; none where it was rejected.
func (j judgement) Grade() palate.Stars { return palate.Stars(max(0, j.Stars)) }

// What photo programs give: so many stars at most, or Rejected.
const (
	MostStars = 5
	Rejected  = -1
)

// words are the verdicts in the words that people have for them.
var words = map[string]palate.Verdict{
	"like": palate.Like, "liked": palate.Like, "likes": palate.Like, "good": palate.Like, "love": palate.Like, "loved": palate.Like, "yes": palate.Like, "favourite": palate.Like, "favorite": palate.Like,
	"dislike": palate.Dislike, "disliked": palate.Dislike, "dislikes": palate.Dislike, "bad": palate.Dislike, "hate": palate.Dislike, "no": palate.Dislike, "reject": palate.Dislike, "rejected": palate.Dislike,
	"skip": palate.Skip, "skipped": palate.Skip,
}

func setVerdict(r *Row, v string) error {
	if v == "" {
		return nil
	}
	verdict, known := words[strings.ToLower(v)]
	if !known {
		r.problem = fmt.Sprintf("verdict %.40q is none of like, dislike and skip", v)
		return nil
	}
	r.Verdict = verdict
	return nil
}

// setRating takes stars, or a word. A table may rate by another scale: that is
// left out, and said.
func setRating(r *Row, v string) error {
	if v == "" {
		return nil
	}
	if verdict, known := words[strings.ToLower(v)]; known {
		r.Verdict = verdict
		return nil
	}
	stars, known := parseStars(v)
	if !known {
		r.problem = fmt.Sprintf("rating %.40q is none of 1 to %d stars, %d for what is rejected, like, dislike and skip", v, MostStars, Rejected)
		return nil
	}
	r.Stars = stars
	return nil
}

// parseStars reads stars as photo programs write them; some write 4.0.
func parseStars(text string) (stars int, known bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || n != float64(int(n)) || n < Rejected || n > MostStars {
		return 0, false
	}
	return int(n), true
}

// setFavourite takes what is true for a like; what is not need not be disliked.
func setFavourite(r *Row, v string) error {
	switch strings.ToLower(v) {
	case "true", "1", "yes", "y", "x":
		r.Verdict = palate.Like
	}
	return nil
}
