package collection

import (
	"context"
	"errors"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Rated is what was said of an image, or taken back.
type Rated struct {
	Image   palate.ImageID `json:"image_id"`
	Profile palate.Profile `json:"profile"`
	Title   string         `json:"title,omitempty"`   // of what an undo was of
	Verdict palate.Verdict `json:"verdict,omitempty"` // what stands; empty is unrated
	Stars   palate.Stars   `json:"stars,omitempty"`
	Undone  palate.Verdict `json:"undone,omitempty"`    // the verdict that was undone
	Back    bool           `json:"took_back,omitempty"` // a take-back was undone
}

// Rate lets a profile say a verdict of images, named as ImageNamed takes them, with
// stars or 0; an empty verdict makes them unrated. It tells of each when it is
// written. Where one name is none, nothing is rated.
func (c *Collection) Rate(ctx context.Context, profile palate.Profile, verdict palate.Verdict, stars palate.Stars, names []string, told func(Rated) error) error {
	ids, err := c.ImagesNamed(ctx, names)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if verdict == "" {
			err = c.Catalog.ClearRating(ctx, profile, id)
		} else {
			_, err = c.Catalog.Rate(ctx, catalog.Rating{Profile: profile, Image: id, Verdict: verdict, Stars: stars, Shown: palate.ShownAPI})
		}
		if err == nil {
			err = told(Rated{Image: id, Profile: profile, Verdict: verdict, Stars: stars})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Unrate undoes the last rating of a profile, or its last take-back, and tells
// of which picture and what stands since.
func (c *Collection) Unrate(ctx context.Context, profile palate.Profile) (Rated, error) {
	undone, err := c.Catalog.UndoRating(ctx, profile, 0)
	if err != nil {
		return Rated{}, err
	}
	r := Rated{Image: undone.Image, Profile: profile, Undone: undone.Verdict, Back: undone.Verdict == ""}
	if undone.Stands != nil {
		r.Verdict, r.Stars = undone.Stands.Verdict, undone.Stands.Stars
	}
	image, err := c.Catalog.Image(ctx, undone.Image)
	if errors.Is(err, palate.ErrNotFound) {
		return r, nil // in the trash
	}
	r.Title = image.Title()
	return r, err
}
