package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/internal/terminal"
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
		none := fmt.Sprintf("Nothing is left to ask %s about: every embedded picture is judged, or looks like what was. palate embed embeds the rest.", profile)
		return terminal.List(s.Terminal, questions, none, []string{"WHY", "CHANCE", "IMAGE", "TITLE", "ARTIST"}, func(q collection.Question) []string {
			chance := ""
			if q.Probability != nil {
				chance = terminal.Percent(q.Probability)
			}
			return []string{string(q.Shown)[len("queue:"):], chance, q.Image, terminal.Shorten(q.Title, 40), terminal.Shorten(q.Artist, 24)}
		})
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
		return s.Show(why, func() { s.sayWhy(why) })
	})
}

func (s *session) sayWhy(w collection.Why) {
	switch {
	case w.WhyScore == nil:
	case w.Probability != nil:
		s.Say("%s is liked by %s with a chance of %s (probe %d).", w.Image, w.Profile, terminal.Percent(w.Probability), w.Probe)
	default:
		s.Say("%s has no taste yet: %s is ordered by its nearness to what was judged, %+.3f.", w.Profile, w.Image, w.Score)
	}
	s.Say("\nThe nearest that %s liked:", w.Profile)
	s.showNear(w.Liked)
	s.Say("\nThe nearest that %s disliked:", w.Profile)
	s.showNear(w.Disliked)
	if w.Heatmap != nil {
		guess := ""
		if !w.Heatmap.Exact {
			guess = ": a guess, for the model does not take the mean of its patches (--pool mean does)"
		}
		s.Say("\nIn %s what raises the score within the picture is red, what lowers it blue%s.", w.Heatmap.File, guess)
	}
}

// showNear shows images by their nearness.
func (s *session) showNear(near []collection.Near) {
	terminal.Rows(s.Terminal, near, "", []string{"SIMILARITY", "IMAGE", "TITLE", "ARTIST"}, func(n collection.Near) []string {
		return []string{fmt.Sprintf("%.3f", n.Similarity), n.Image, terminal.Shorten(n.Title, 40), terminal.Shorten(n.Artist, 24)}
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
		none := fmt.Sprintf("No rating of %s is in doubt.", profile)
		err = terminal.List(s.Terminal, doubts, none, []string{"SAID", "CHANCE OF A LIKE", "IMAGE", "TITLE", "ARTIST"}, func(d collection.Doubt) []string {
			return []string{string(d.Said), terminal.Percent(&d.Probability), d.Image, terminal.Shorten(d.Title, 40), terminal.Shorten(d.Artist, 24)}
		})
		if len(doubts) > 0 {
			s.Say("Judge them again with palate rate, if they are mistakes.")
		}
		return err
	})
}
