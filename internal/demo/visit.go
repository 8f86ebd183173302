package demo

import (
	"context"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/probe/judge"
)

// What a visitor is like.
const (
	likedStyles = 3
	flipRate    = .08 // of the ratings are against the own taste
)

// Visit is a visitor who rates pictures of the museum.
type Visit struct {
	Profile palate.Profile
	Ratings int   // pictures to rate
	Seed    int64 // draws the taste and the ratings
}

// Visited is what came of a visit.
type Visited struct {
	Liked   []string `json:"liked_styles"`
	Ratings Ratings  `json:"ratings"`
	Probe   Probe    `json:"probe"`

	visitor *museum.Visitor
}

// Ratings are how many pictures were rated, and how many of them against the
// own taste.
type Ratings struct {
	Likes    int `json:"likes"`
	Dislikes int `json:"dislikes"`
	Flipped  int `json:"flipped"`
}

// Probe tells how well the probe does: AUC, AUCLow, AUCHigh and AveragePrecision
// on the pictures never rated, against the true taste; the others by
// cross-validation on the ratings.
type Probe struct {
	AUC              float64 `json:"auc"`
	AUCLow           float64 `json:"auc_low"`
	AUCHigh          float64 `json:"auc_high"`
	AveragePrecision float64 `json:"average_precision"`
	CVAUC            float64 `json:"cv_auc"`
	CVAUCLow         float64 `json:"cv_auc_low"`
	CVAUCHigh        float64 `json:"cv_auc_high"`
	BalancedAccuracy float64 `json:"balanced_accuracy"`
	NeverRated       int     `json:"never_rated"`
}

// Run rates pictures of an embedded collection and learns the taste from that.
// The styles are the true ones of its images; what has none is not the museum's
// and is left out.
func (v Visit) Run(ctx context.Context, m *collection.Model, styles map[palate.ImageID]string) (Visited, error) {
	visited, err := v.rate(ctx, m, styles)
	if err == nil {
		err = v.train(ctx, m, styles, &visited)
	}
	return visited, err
}

// rate lets the visitor judge pictures drawn at random.
func (v Visit) rate(ctx context.Context, m *collection.Model, styles map[palate.ImageID]string) (Visited, error) {
	ids := imagesOf(styles)
	visitor := museum.NewVisitor(v.Seed, namesOf(styles), likedStyles, flipRate)
	visited := Visited{Liked: visitor.Styles(), visitor: visitor}
	var ratings []catalog.Rating
	for _, i := range visitor.Choose(len(ids), v.Ratings) {
		liked, flipped := visitor.Says(styles[ids[i]])
		verdict := palate.Dislike
		if liked {
			verdict = palate.Like
			visited.Ratings.Likes++
		} else {
			visited.Ratings.Dislikes++
		}
		if flipped {
			visited.Ratings.Flipped++
		}
		ratings = append(ratings, catalog.Rating{Profile: v.Profile, Image: ids[i], Verdict: verdict, Shown: palate.ShownGallery})
	}
	return visited, m.Catalog.RateAll(ctx, ratings)
}

// train learns the taste and judges it on the pictures never rated, against
// what the visitor truly likes.
func (v Visit) train(ctx context.Context, m *collection.Model, styles map[palate.ImageID]string, visited *Visited) error {
	outcome, err := m.Tastes.Train(ctx, v.Profile)
	if err != nil {
		return err
	}
	if err := m.CatchUp(ctx); err != nil {
		return err
	}
	p := &visited.Probe
	p.CVAUC, p.CVAUCLow, p.CVAUCHigh = outcome.Report.AUC, outcome.Report.AUCLow, outcome.Report.AUCHigh
	p.BalancedAccuracy = outcome.Report.BalancedAccuracy
	rated, err := m.Catalog.StandingVerdicts(ctx, v.Profile, nil)
	if err != nil {
		return err
	}
	scores, _, err := m.Tastes.ScoresOf(ctx, v.Profile, imagesOf(styles))
	if err != nil {
		return err
	}
	var logits []float64
	var truth []bool
	for id, score := range scores {
		if _, seen := rated[id]; !seen {
			logits = append(logits, score.Logit)
			truth = append(truth, visited.visitor.Likes(styles[id]))
		}
	}
	p.NeverRated = len(truth)
	if p.AUC, p.AUCLow, p.AUCHigh, err = judge.AUCInterval(logits, truth); err != nil {
		return err
	}
	p.AveragePrecision, err = judge.AveragePrecision(logits, truth)
	return err
}

// imagesOf are the museum's works in the collection, in the order of ids.
func imagesOf(styles map[palate.ImageID]string) []palate.ImageID {
	ids := make([]palate.ImageID, 0, len(styles))
	for id := range styles {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b palate.ImageID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

func namesOf(styles map[palate.ImageID]string) []string {
	seen := make(map[string]bool)
	var names []string
	for _, style := range styles {
		if !seen[style] {
			seen[style] = true
			names = append(names, style)
		}
	}
	return names
}
