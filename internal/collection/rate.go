package collection

import (
	"context"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Rated is what was said of an image, or taken back.
type Rated struct {
	Image   palate.ImageID `json:"image_id"`
	Profile palate.Profile `json:"profile"`
	Verdict palate.Verdict `json:"verdict,omitempty"` // empty is unrated
	Undone  palate.Verdict `json:"undone,omitempty"`
}

// Rate lets a profile say a verdict of images, named as ImageNamed takes them; an
// empty verdict makes them unrated. It tells of each when it is written. Where
// one name is none, nothing is rated.
func (c *Collection) Rate(ctx context.Context, profile palate.Profile, verdict palate.Verdict, names []string, told func(Rated) error) error {
	ids, err := c.ImagesNamed(ctx, names)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if verdict == "" {
			err = c.Catalog.ClearRating(ctx, profile, id)
		} else {
			_, err = c.Catalog.Rate(ctx, catalog.Rating{Profile: profile, Image: id, Verdict: verdict, Shown: palate.ShownAPI})
		}
		if err == nil {
			err = told(Rated{Image: id, Profile: profile, Verdict: verdict})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Unrate takes the last rating of a profile back.
func (c *Collection) Unrate(ctx context.Context, profile palate.Profile) (Rated, error) {
	undone, err := c.Catalog.UndoRating(ctx, profile, 0)
	return Rated{Image: undone.Image, Profile: profile, Undone: undone.Verdict}, err
}
