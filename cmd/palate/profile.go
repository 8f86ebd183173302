package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
)

type profileCommand struct {
	List    listProfiles    `cmd:"" help:"The tastes of this collection."`
	Create  createProfile   `cmd:"" help:"Add a taste before its first rating."`
	Rename  renameProfile   `cmd:"" help:"Give a taste another name; its ratings and probes go along."`
	Delete  deleteProfile   `cmd:"" help:"Delete a taste with its probes; its ratings count no more."`
	Compare compareProfiles `cmd:"" help:"How like two tastes are."`
}

// profileLine is what list prints of one profile.
type profileLine struct {
	Profile     palate.Profile `json:"profile"`
	Likes       int            `json:"likes"`
	Dislikes    int            `json:"dislikes"`
	Skips       int            `json:"skips"`
	LastRatedAt *time.Time     `json:"last_rated_at,omitempty"`
}

type listProfiles struct{}

// Run lists the profiles.
func (c *listProfiles) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		profiles, err := h.Catalog.Profiles(ctx)
		if err != nil {
			return err
		}
		lines := make([]profileLine, len(profiles))
		for i, p := range profiles {
			lines[i] = profileLine{Profile: p.Profile, Likes: p.Likes, Dislikes: p.Dislikes, Skips: p.Skips}
			if !p.LastRatedAt.IsZero() {
				lines[i].LastRatedAt = &p.LastRatedAt
			}
		}
		return terminal.List(s.Terminal, lines, "Nobody has judged anything yet: palate rate does, and the page of palate serve.", []string{"PROFILE", "LIKES", "DISLIKES", "SKIPS", "LAST RATING"}, func(p profileLine) []string {
			last := "never"
			if p.LastRatedAt != nil {
				last = p.LastRatedAt.Local().Format(time.DateTime)
			}
			return []string{string(p.Profile), fmt.Sprint(p.Likes), fmt.Sprint(p.Dislikes), fmt.Sprint(p.Skips), last}
		})
	})
}

type createProfile struct {
	Name string `arg:"" help:"Name: a-z, 0-9, _ and -."`
}

// Run adds a profile.
func (c *createProfile) Run(ctx context.Context, s *session) error {
	name, err := palate.ParseProfile(c.Name)
	if err != nil {
		return usage(err)
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		if err := h.Catalog.CreateProfile(ctx, name); err != nil {
			return err
		}
		return s.Done(profileLine{Profile: name}, "%s is there: palate rate like IMAGE --profile %s, or palate serve.", name, name)
	})
}

type renameProfile struct {
	From string `arg:"" help:"Name of the taste."`
	To   string `arg:"" help:"Its new name."`
}

// Run renames a profile.
func (c *renameProfile) Run(ctx context.Context, s *session) error {
	from, errFrom := palate.ParseProfile(c.From)
	to, errTo := palate.ParseProfile(c.To)
	if err := errors.Join(errFrom, errTo); err != nil {
		return usage(err)
	}
	return withTastes(ctx, s, func(h *collection.Model, _ palate.Profile) error {
		if err := h.Tastes.RenameProfile(ctx, from, to); err != nil {
			return err
		}
		return s.Done(map[string]any{"profile": to, "was": from}, "%s is %s now.", from, to)
	})
}

type deleteProfile struct {
	Name string `arg:"" help:"Name of the taste."`
}

// Run deletes a profile.
func (c *deleteProfile) Run(ctx context.Context, s *session) error {
	name, err := palate.ParseProfile(c.Name)
	if err != nil {
		return usage(err)
	}
	return withTastes(ctx, s, func(h *collection.Model, _ palate.Profile) error {
		if err := h.Tastes.DeleteProfile(ctx, name); err != nil {
			return err
		}
		return s.Done(map[string]any{"deleted": name}, "%s is deleted.", name)
	})
}

type compareProfiles struct {
	First  string `arg:"" help:"Name of a taste."`
	Second string `arg:"" help:"Name of another."`
}

// Run compares two profiles.
func (c *compareProfiles) Run(ctx context.Context, s *session) error {
	first, errFirst := palate.ParseProfile(c.First)
	second, errSecond := palate.ParseProfile(c.Second)
	if err := errors.Join(errFirst, errSecond); err != nil {
		return usage(err)
	}
	return withTastes(ctx, s, func(h *collection.Model, _ palate.Profile) error {
		l, err := h.Tastes.Compare(ctx, first, second)
		if err != nil {
			return err
		}
		return s.Show(l, func() { s.SayAll(l.Words(first, second)) })
	})
}
