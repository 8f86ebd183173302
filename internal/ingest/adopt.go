package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/picture"
)

// adoptedSite is the site of a source about which nothing is known any more.
const adoptedSite = "adopted"

// Adoption says what Adopt found.
type Adoption struct {
	Files   int            `json:"files"`
	Known   int            `json:"known"`   // had a row, or a tombstone
	Adopted int            `json:"adopted"` // got one
	Lost    map[string]int `json:"lost"`    // files that can't be used, by reason; they stay where they are
	// Examples gives one file of each reason.
	Examples map[string]string `json:"examples,omitempty"`
}

// Adopt gives every file of the store without a row one, and then marks
// catalog and store as each other's. Titles, sources and ratings of these
// images are gone with the catalog that knew them, and what only that one
// knew to be deleted returns. progress, if not nil, is told of the files.
func (c *Collection) Adopt(ctx context.Context, progress func(files int)) (Adoption, error) {
	report := Adoption{Lost: map[string]int{}, Examples: map[string]string{}}
	err := c.walkStates(ctx, func(id palate.ImageID, state catalog.ImageState) error {
		if report.Files++; progress != nil {
			progress(report.Files)
		}
		if state != catalog.UnknownImage {
			report.Known++
			return nil
		}
		err := c.adopt(ctx, id)
		switch reason := lossOf(err); {
		case err == nil:
			report.Adopted++
		case reason == "":
			return fmt.Errorf("adopt image %s: %w", id, err)
		default:
			report.Lost[reason]++
			if report.Examples[reason] == "" {
				report.Examples[reason] = fmt.Sprintf("%s: %v", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return report, err
	}
	return report, c.bind(ctx)
}

func (c *Collection) adopt(ctx context.Context, id palate.ImageID) error {
	file, err := c.store.Open(ctx, id)
	if errors.Is(err, palate.ErrNotFound) || errors.Is(err, palate.ErrConflict) {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if err != nil {
		return err
	}
	content, err := io.ReadAll(io.LimitReader(file, c.limits.stored.MaxBytes+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	info, err := c.budget.Check(ctx, content, picture.Terms{Limits: c.limits.stored, Alone: true})
	if err != nil {
		return err
	}
	image := describe(sha256.Sum256(content), content, info)
	if image.ID != id {
		return fmt.Errorf("%w: it has changed and is not the picture that it is named for", errUnreadable)
	}
	_, err = c.catalog.AddImage(ctx, image, palate.Source{Site: adoptedSite, Address: adoptedSite + ":" + id.String()}, nil)
	return err
}
