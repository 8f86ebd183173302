package main

import (
	"context"
	"errors"
	"strings"

	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/show"
)

type reindexCommand struct{}

// Run fills the index anew from the catalog.
func (c *reindexCommand) Run(ctx context.Context, s *session) error {
	return withModel(ctx, s, func(h *collection.Model) error {
		r, err := h.Reindex(ctx)
		if err != nil {
			return err
		}
		return s.Done(r, "%d embeddings of %s indexed in %.1f s", r.Points, h.Embedder.Name(), r.Seconds)
	})
}

type mapCommand struct {
	Seed uint64 `help:"Another seed gives another map of the same neighbourhoods." default:"1"`
}

// Run lays the collection out on a plane.
func (c *mapCommand) Run(ctx context.Context, s *session) error {
	return withModel(ctx, s, func(h *collection.Model) error {
		config := atlas.DefaultConfig()
		config.Seed = c.Seed
		made, err := h.MakeMap(ctx, config)
		if err != nil {
			return err
		}
		return s.Done(made, "A map of %d pictures was made in %.1f s. Its trustworthiness at %d neighbours is %.3f; that of the first two principal components is %.3f. The page shows it under Map.",
			made.Pictures, made.Seconds, made.TrustK, made.Trustworthiness, made.Principal)
	})
}

type copiesCommand struct{}

// Run looks for pictures that show one work.
func (c *copiesCommand) Run(ctx context.Context, s *session) error {
	return withModel(ctx, s, func(h *collection.Model) error {
		r, err := h.LookForCopies(ctx)
		if err != nil {
			return err
		}
		return s.Done(r, "%s", r.Words())
	})
}

type indexCommand struct {
	Status indexStatusCommand `cmd:"" help:"Show what the index holds and how far it follows the catalog."`
	Verify indexVerifyCommand `cmd:"" help:"Compare the index with the catalog; exit code 1 if they differ."`
}

type indexStatusCommand struct{}

// Run prints the state; an index that can't answer is an error.
func (c *indexStatusCommand) Run(ctx context.Context, s *session) error {
	return withModel(ctx, s, func(h *collection.Model) error {
		status, err := h.IndexStatus(ctx)
		if s.JSON {
			return errors.Join(err, s.Print(status))
		}
		show.Index(s.Terminal, status, h.Embedder.Model(), err != nil)
		return err
	})
}

type indexVerifyCommand struct {
	Sample int `help:"About how many points to read and compare in full." default:"1000"`
}

// verification is what index verify prints for programs.
type verification struct {
	Clean bool `json:"clean"`
	ingest.Verification
}

// Run lets the index catch up, as every command that searches does, and
// compares it with the catalog.
func (c *indexVerifyCommand) Run(ctx context.Context, s *session) error {
	if c.Sample < 0 {
		return usagef("--sample is %d, want 0 or more", c.Sample)
	}
	return withModel(ctx, s, func(h *collection.Model) error {
		v, err := h.VerifyIndex(ctx, c.Sample)
		if err != nil {
			return err
		}
		err = s.Show(verification{v.Clean(), v}, func() { s.Say("%s", strings.Join(v.Words(), "\n")) })
		if err == nil && !v.Clean() {
			err = errors.New("the index differs from the catalog; palate reindex fills it anew")
		}
		return err
	})
}
