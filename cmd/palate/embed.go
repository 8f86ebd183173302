package main

import (
	"context"
	"errors"

	"github.com/palate-art/palate/internal/collection"
)

type embedCommand struct {
	Files   []string `arg:"" optional:"" name:"file" help:"Pictures to print the embeddings of; they are not added to the collection." type:"path"`
	Retry   bool     `help:"Try images again that could not be embedded before."`
	Upgrade bool     `help:"Bring the collection to the present preprocessing rules (or those of --decode): what they don't touch is copied, the rest embedded anew, the tastes are learned again, and then all switch together. A running server goes on with what it has until then. Interrupted, it goes on at the next call, or by the server."`
}

// Run embeds what is pending, or the named files.
func (c *embedCommand) Run(ctx context.Context, s *session) error {
	if c.Upgrade && (len(c.Files) > 0 || c.Retry) {
		return usagef("--upgrade is about the whole collection: it takes neither files nor --retry")
	}
	if len(c.Files) > 0 {
		return c.printFiles(ctx, s)
	}
	if c.Upgrade {
		return c.upgrade(ctx, s)
	}
	return withModelToEmbed(ctx, s, func(h *collection.Model) error {
		err := c.embed(ctx, s, h)
		h.Tend(ctx)
		return err
	})
}

func (c *embedCommand) embed(ctx context.Context, s *session, h *collection.Model) error {
	if c.Retry {
		if err := h.Catalog.ClearEmbeddingFailures(ctx, h.Embedder.Model()); err != nil {
			return err
		}
	}
	report, err := h.EmbedPending(ctx)
	if s.JSON {
		return errors.Join(err, s.Print(report))
	}
	if err != nil {
		return err
	}
	s.Say("%d images embedded by %s on %s, %.1f a second; %d could not be embedded", report.Embedded,
		h.Embedder.Name(), h.Embedder.Provider(), report.ImagesPerSecond, report.Failed)
	if report.Embedded > 0 {
		s.Say("%s", report.Words())
	}
	for _, failure := range report.Failures {
		s.Say("  %s: %s", failure.Image, failure.Reason)
	}
	return nil
}

func (c *embedCommand) printFiles(ctx context.Context, s *session) error {
	used, err := s.collectionModels(ctx)
	if err != nil {
		return err
	}
	return s.loader().EmbedFiles(ctx, used, c.Files, func(f collection.FileEmbedding) error {
		return s.Done(f, "%s  %d values by %s: %.4f %.4f %.4f …", f.File, len(f.Vector), f.Model, f.Vector[0], f.Vector[1], f.Vector[2])
	})
}

// collectionModels are those of the collection, if there is one: embeddings of
// files are to be comparable with it.
func (s *session) collectionModels(ctx context.Context) ([]collection.Used, error) {
	if !collection.HasCatalog(s.Data) {
		return nil, nil
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return nil, err
	}
	used, err := h.UsedModels(ctx)
	return used, errors.Join(err, h.Close())
}

// upgrade brings the collection to the present rules, or goes on with what was
// begun.
func (c *embedCommand) upgrade(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		report, err := h.Upgrade(ctx, s.settings().Rules)
		h.Tend(ctx)
		if s.JSON && report.From != "" {
			return errors.Join(err, s.Print(report))
		}
		if err == nil {
			s.SayAll(report.Words())
		}
		return err
	})
}
