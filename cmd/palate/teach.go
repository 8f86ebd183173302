package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/internal/taste"
)

type queueCommand struct {
	Limit int `help:"Pictures to ask about." default:"10" short:"n"`
}

// Run shows what to judge next.
func (c *queueCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 || c.Limit > taste.MaxQueue {
		return usagef("--limit is %d, want 1 to %d", c.Limit, taste.MaxQueue)
	}
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		questions, err := h.Questions(ctx, profile, c.Limit)
		if err != nil {
			return err
		}
		return show.Questions(s.Terminal, profile, questions)
	})
}

type whyCommand struct {
	Image string `arg:"" name:"image" help:"Id of an image, or a file in the collection."`
	Limit int    `help:"Pictures to show of each kind." default:"5" short:"n"`

	Heatmap string `help:"PNG file to draw into where in the picture the score comes from." name:"heatmap" type:"path" placeholder:"FILE.png"`
}

// Run shows what speaks for an image and what against it.
func (c *whyCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 || c.Limit > index.MaxLimit {
		return usagef("--limit is %d, want 1 to %d", c.Limit, index.MaxLimit)
	}
	if c.Heatmap != "" && !strings.EqualFold(filepath.Ext(c.Heatmap), ".png") {
		return usagef("--heatmap is %s, want a name that ends in .png", c.Heatmap)
	}
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		id, err := h.ImageNamed(ctx, c.Image)
		if err != nil {
			return err
		}
		why, err := h.Why(ctx, profile, id, c.Limit, c.Heatmap)
		if err != nil {
			return err
		}
		return show.Why(s.Terminal, why)
	})
}

type reviewCommand struct {
	Limit int `help:"Ratings to show." default:"20" short:"n"`
}

// Run lists ratings that are likely mistakes.
func (c *reviewCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 {
		return usagef("--limit is %d, want 1 or more", c.Limit)
	}
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		doubts, err := h.Doubts(ctx, profile, c.Limit)
		if err != nil {
			return err
		}
		return show.Doubts(s.Terminal, profile, doubts)
	})
}
