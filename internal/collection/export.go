package collection

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/export"
)

// Exporting is what is written of a collection, and where.
type Exporting struct {
	// To is a file, a folder for export.Clip, or empty for Out.
	To     string
	Out    io.Writer
	Format export.Format // empty: by the ending of To
	// Embeddings adds those of the model that serves; NPZ and Clip always do.
	Embeddings bool
	Rated      bool // only what the profile likes or dislikes
}

// Exported is what was written.
type Exported struct {
	Rows   int            `json:"rows"`
	Format export.Format  `json:"format"`
	Model  palate.ModelID `json:"model_id,omitempty"`
}

// Export writes what is known of the pictures. A file appears when it is whole.
func (c *Collection) Export(ctx context.Context, p palate.Profile, x Exporting) (done Exported, err error) {
	if done.Format = x.Format; done.Format == "" {
		if done.Format, err = export.FormatOf(x.To); err != nil {
			return done, asked(err)
		}
	}
	query := export.Query{Profile: p, Rated: x.Rated}
	total, err := c.Catalog.CountImages(ctx, index.Filter{})
	if err != nil {
		return done, err
	}
	query.Progress = func(rows int) { c.tell.Progress("export", "img", int64(rows), int64(total)) }
	if x.Embeddings || done.Format == export.NPZ || done.Format == export.Clip {
		if done.Model, query.Dim, err = c.servingModel(ctx); err != nil {
			return done, err
		}
		query.Model = done.Model
	}
	write := func(w io.Writer) (err error) {
		done.Rows, err = export.To(ctx, w, c.Catalog, done.Format, query)
		return err
	}
	switch {
	case done.Format == export.Clip && x.To == "":
		err = askedf("clip-retrieval's form is a folder: name one")
	case done.Format == export.Clip:
		done.Rows, err = export.ToFolder(ctx, x.To, c.Catalog, query)
	case x.To == "":
		err = write(x.Out)
	default:
		err = atomicfile.Write(x.To, 0o644, write)
	}
	if errors.Is(err, palate.ErrInvalid) {
		err = asked(err)
	}
	return done, err
}

// servingModel is the model whose embeddings serve.
func (c *Collection) servingModel(ctx context.Context) (palate.ModelID, int, error) {
	entries, err := c.Models(ctx)
	if err != nil {
		return "", 0, err
	}
	for _, entry := range entries {
		if entry.State != StateServes {
			continue
		}
		all, err := c.Catalog.Models(ctx)
		if err != nil {
			return "", 0, err
		}
		for _, m := range all {
			if m.ID == entry.Model {
				return m.ID, m.Dim, nil
			}
		}
	}
	return "", 0, fmt.Errorf("nothing is embedded yet; palate embed does that: %w", palate.ErrNotFound)
}
