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

// queueLine is what queue prints of one picture.
type queueLine struct {
	Image       string       `json:"image_id"`
	Shown       palate.Shown `json:"shown"`
	Score       *float64     `json:"score,omitempty"`
	Probability *float64     `json:"probability,omitempty"`
	Probe       int          `json:"probe_version,omitempty"`
	Title       string       `json:"title,omitempty"`
	Artist      string       `json:"artist,omitempty"`
}

// Run shows what to judge next.
func (c *queueCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 || c.Limit > taste.MaxQueue {
		return usagef("--limit is %d, want 1 to %d", c.Limit, taste.MaxQueue)
	}
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		if err := h.CatchUp(ctx); err != nil {
			return err
		}
		queue, err := h.Tastes.Queue(ctx, profile, c.Limit)
		if err != nil {
			return err
		}
		lines := []queueLine{}
		rows := [][]string{{"WHY", "CHANCE", "IMAGE", "TITLE", "ARTIST"}}
		for _, choice := range queue.Choices {
			image, err := h.Catalog.Image(ctx, choice.ID)
			if err != nil {
				return err
			}
			l := queueLine{Image: choice.ID.String(), Shown: choice.Shown, Probe: queue.Version, Title: image.Title(), Artist: image.Artist()}
			chance := ""
			if queue.Version != 0 {
				l.Score, l.Probability = &choice.Score, &choice.Probability
				chance = fmt.Sprintf("%.1f %%", 100*choice.Probability)
			}
			lines = append(lines, l)
			rows = append(rows, []string{string(choice.Shown)[len("queue:"):], chance, l.Image, terminal.Shorten(l.Title, 40), terminal.Shorten(l.Artist, 24)})
		}
		if s.JSON {
			return s.Print(lines)
		}
		if len(lines) == 0 {
			s.Say("Nothing is left to ask %s about: everything is judged, or looks like what was.", profile)
			return nil
		}
		s.Table(rows...)
		return nil
	})
}

type whyCommand struct {
	Image string `arg:"" name:"image" help:"Id of an image, or a file in the collection."`
	Limit int    `help:"Pictures to show of each kind." default:"5" short:"n"`

	Heatmap string `help:"PNG file to draw into where in the picture the score comes from." name:"heatmap" type:"path" placeholder:"FILE.png"`
}

// heatLine is what why prints of a heat map.
type heatLine struct {
	File    string    `json:"file"`
	Columns int       `json:"columns"`
	Rows    int       `json:"rows"`
	Patches []float64 `json:"patches"`
	Rest    float64   `json:"rest"`
	Exact   bool      `json:"exact"`
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
		if err := h.CatchUp(ctx); err != nil {
			return err
		}
		reasons, err := h.Tastes.Why(ctx, profile, id, c.Limit)
		if err != nil {
			return err
		}
		out := map[string]any{"image_id": id, "profile": profile}
		if reasons.Score != nil {
			out["score"], out["probability"], out["probe_version"] = reasons.Score.Logit, reasons.Score.Chance(), reasons.Version
			if chance := reasons.Score.Chance(); chance != nil {
				s.Say("%s is liked by %s with a chance of %.1f %% (probe %d).", id, profile, 100**chance, reasons.Version)
			} else {
				s.Say("%s has no taste yet: %s is ordered by its nearness to what was judged, %+.3f.", profile, id, reasons.Score.Logit)
			}
		}
		for _, side := range []struct {
			name string
			hits []index.Hit
		}{{"liked", reasons.Liked}, {"disliked", reasons.Disliked}} {
			lines, err := hitLines(ctx, h, side.hits)
			if err != nil {
				return err
			}
			out[side.name] = lines
			s.Say("\nThe nearest that %s %s:", profile, side.name)
			if !s.JSON {
				s.Table(hitRows(lines)...)
			}
		}
		if c.Heatmap != "" {
			if out["heatmap"], err = c.drawHeat(ctx, s, h, profile, id); err != nil {
				return err
			}
		}
		if s.JSON {
			return s.Print(out)
		}
		return nil
	})
}

// drawHeat draws where the score comes from.
func (c *whyCommand) drawHeat(ctx context.Context, s *session, h *collection.Model, profile palate.Profile, id palate.ImageID) (heatLine, error) {
	heat, err := h.Heat(ctx, profile, id)
	if err != nil {
		return heatLine{}, err
	}
	if err := h.WriteHeatMap(ctx, c.Heatmap, heat, id); err != nil {
		return heatLine{}, err
	}
	guess := ""
	if !heat.Exact {
		guess = ": a guess, for the model does not take the mean of its patches (--pool mean does)"
	}
	s.Say("\nIn %s what raises the score within the picture is red, what lowers it blue%s.", c.Heatmap, guess)
	return heatLine{c.Heatmap, heat.Columns, heat.Rows, heat.Patches, heat.Rest, heat.Exact}, nil
}

// hitLines describes hits.
func hitLines(ctx context.Context, h *collection.Model, hits []index.Hit) ([]hitLine, error) {
	lines := make([]hitLine, len(hits))
	for i, hit := range hits {
		image, err := h.Catalog.Image(ctx, hit.ID)
		if err != nil {
			return nil, err
		}
		lines[i] = hitLine{hit.ID.String(), hit.Score, image.Title(), image.Artist()}
	}
	return lines, nil
}

func hitRows(lines []hitLine) [][]string {
	rows := [][]string{{"SIMILARITY", "IMAGE", "TITLE", "ARTIST"}}
	for _, l := range lines {
		rows = append(rows, []string{fmt.Sprintf("%.3f", l.Similarity), l.Image, terminal.Shorten(l.Title, 40), terminal.Shorten(l.Artist, 24)})
	}
	return rows
}

type reviewCommand struct {
	Limit int `help:"Ratings to show." default:"20" short:"n"`
}

// mislabelLine is what review prints of one rating.
type mislabelLine struct {
	Image       string         `json:"image_id"`
	Said        palate.Verdict `json:"said"`
	Probability float64        `json:"probability"`
	Doubt       float64        `json:"doubt"`
	Title       string         `json:"title,omitempty"`
	Artist      string         `json:"artist,omitempty"`
}

// Run lists ratings that are likely mistakes.
func (c *reviewCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 {
		return usagef("--limit is %d, want 1 or more", c.Limit)
	}
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		doubted, err := h.Tastes.Mislabels(ctx, profile, c.Limit)
		if err != nil {
			return err
		}
		lines := []mislabelLine{}
		rows := [][]string{{"SAID", "CHANCE OF A LIKE", "IMAGE", "TITLE", "ARTIST"}}
		for _, m := range doubted {
			image, err := h.Catalog.Image(ctx, m.Image)
			if err != nil {
				return err
			}
			l := mislabelLine{Image: m.Image.String(), Said: palate.Dislike, Probability: m.Probability, Doubt: m.Doubt, Title: image.Title(), Artist: image.Artist()}
			if m.Liked {
				l.Said = palate.Like
			}
			lines = append(lines, l)
			rows = append(rows, []string{string(l.Said), fmt.Sprintf("%.1f %%", 100*l.Probability), l.Image, terminal.Shorten(l.Title, 40), terminal.Shorten(l.Artist, 24)})
		}
		if s.JSON {
			return s.Print(lines)
		}
		if len(lines) == 0 {
			s.Say("No rating of %s is in doubt.", profile)
			return nil
		}
		s.Table(rows...)
		s.Say("Judge them again with palate rate, if they are mistakes.")
		return nil
	})
}
