package demo

import (
	"context"

	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/taste"
)

const (
	// neighbourRank is how many neighbours of each picture are looked at.
	neighbourRank = 10
	// topRank is how many pictures of the ranking are reported.
	topRank = 10
)

// Neighbors tells how often pictures near each other are of one style.
type Neighbors struct {
	PrecisionAt10 float64 `json:"precision_at_10"`
}

// Top is a picture at the top of the ranking.
type Top struct {
	ID          string  `json:"id"`
	Title       string  `json:"title"`
	Artist      string  `json:"artist"`
	Style       string  `json:"style"`
	Likes       bool    `json:"visitor_likes"`
	Probability float64 `json:"probability"`
	Rated       bool    `json:"rated"`
}

// look ranks the collection and looks around every picture.
func (d *Demo) look(ctx context.Context) error {
	if err := d.lookAtTop(ctx); err != nil {
		return err
	}
	same, all := 0, 0
	for _, id := range imagesOf(d.styles) {
		hits, err := d.Model.Index.Search(ctx, index.Query{Near: &id, Limit: neighbourRank})
		if err != nil {
			return err
		}
		for _, hit := range hits {
			all++
			if d.styles[hit.ID] == d.styles[id] {
				same++
			}
		}
	}
	if all > 0 {
		d.report.Neighbors.PrecisionAt10 = float64(same) / float64(all)
	}
	return nil
}

func (d *Demo) lookAtTop(ctx context.Context) error {
	ranking, err := d.Model.Tastes.Rank(ctx, d.config.Profile, taste.RankQuery{Limit: topRank})
	if err != nil {
		return err
	}
	rated, err := d.Model.Catalog.StandingVerdicts(ctx, d.config.Profile, nil)
	if err != nil {
		return err
	}
	for _, score := range ranking.Scores {
		image, err := d.Model.Catalog.Image(ctx, score.Image)
		if err != nil {
			return err
		}
		style := d.styles[score.Image]
		_, seen := rated[score.Image]
		d.report.Top = append(d.report.Top, Top{ID: score.Image.String(), Title: image.Title(), Artist: image.Artist(), Style: style,
			Likes: d.report.visitor.Likes(style), Probability: score.Probability, Rated: seen})
	}
	return nil
}
