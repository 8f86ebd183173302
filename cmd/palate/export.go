package main

import (
	"context"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/export"
)

type exportCollection struct {
	To         string `arg:"" help:"File that ends in .ndjson, .csv, .parquet or .npz, a folder for clip-retrieval's form, or - for standard output."`
	Format     string `help:"ndjson, csv, parquet, npz or clip, where the name does not tell." enum:",ndjson,csv,parquet,npz,clip" default:"" placeholder:"NAME"`
	Embeddings bool   `help:"Add the embeddings by the model that serves, and leave out what has none; npz and clip always do."`
	Rated      bool   `help:"Only pictures that are liked or disliked: what palate evaluate reads."`
}

// Run writes what is known of the pictures.
func (c *exportCollection) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	x := collection.Exporting{To: c.To, Format: export.Format(c.Format), Embeddings: c.Embeddings, Rated: c.Rated}
	if c.To == "-" {
		x.To, x.Out = "", s.Out()
		if c.Format == "" {
			x.Format = export.NDJSON
		}
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		done, err := h.Export(ctx, profile, x)
		s.EndProgress()
		if err != nil || c.To == "-" {
			return err
		}
		return s.Done(done, "%d pictures are in %s.", done.Rows, c.To)
	})
}
