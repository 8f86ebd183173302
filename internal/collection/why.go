package collection

import (
	"context"

	"github.com/palate-art/palate"
)

// Why is what speaks for an image and what against it.
type Why struct {
	Image   palate.ImageID `json:"image_id"`
	Profile palate.Profile `json:"profile"`
	*WhyScore
	Liked    []Near   `json:"liked"`
	Disliked []Near   `json:"disliked"`
	Heatmap  *HeatMap `json:"heatmap,omitempty"`
}

// WhyScore is the score of an image, where there is a taste or an order for it.
type WhyScore struct {
	Score       float64  `json:"score"`
	Probability *float64 `json:"probability"` // null in a provisional order
	Probe       int      `json:"probe_version"`
}

// HeatMap tells where in a picture its score comes from, and where that is drawn.
type HeatMap struct {
	File    string    `json:"file"`
	Columns int       `json:"columns"`
	Rows    int       `json:"rows"`
	Patches []float64 `json:"patches"`
	Rest    float64   `json:"rest"`
	Exact   bool      `json:"exact"`
}

// Why shows the nearest liked and disliked pictures of an image, at most limit of
// each. With heatmap, a PNG file, it draws there where the score comes from.
func (m *Model) Why(ctx context.Context, profile palate.Profile, id palate.ImageID, limit int, heatmap string) (why Why, err error) {
	if err := m.CatchUp(ctx); err != nil {
		return why, err
	}
	reasons, err := m.Tastes.Why(ctx, profile, id, limit)
	if err != nil {
		return why, err
	}
	why = Why{Image: id, Profile: profile}
	if reasons.Score != nil {
		why.WhyScore = &WhyScore{reasons.Score.Logit, reasons.Score.Chance(), reasons.Version}
	}
	if why.Liked, err = m.near(ctx, reasons.Liked); err != nil {
		return why, err
	}
	if why.Disliked, err = m.near(ctx, reasons.Disliked); err != nil || heatmap == "" {
		return why, err
	}
	heat, err := m.Heat(ctx, profile, id)
	if err != nil {
		return why, err
	}
	why.Heatmap = &HeatMap{heatmap, heat.Columns, heat.Rows, heat.Patches, heat.Rest, heat.Exact}
	return why, m.WriteHeatMap(ctx, heatmap, heat, id)
}
