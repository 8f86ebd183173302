package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/internal/taste"
)

type probeCommand struct {
	History  historyCommand  `cmd:"" help:"Every version that was trained, the newest first."`
	Show     showCommand     `cmd:"" help:"One version with its whole report."`
	Compare  versionsCommand `cmd:"" help:"Test two versions in pairs on what both were judged on."`
	Rollback rollbackCommand `cmd:"" help:"Let an earlier version serve."`
	Export   exportCommand   `cmd:"" help:"Write a version to a file."`
	Import   importProbe     `cmd:"" help:"Add an exported probe, which serves at once."`
}

type historyCommand struct{}

// Run lists the versions of the profile.
func (c *historyCommand) Run(ctx context.Context, s *session) error {
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		history, err := h.History(ctx, profile)
		if err != nil {
			return err
		}
		return show.History(s.Terminal, profile, history)
	})
}

type showCommand struct {
	Version int    `arg:"" optional:"" help:"Number of the version; the serving one if left out."`
	HTML    string `help:"Write the report with its plots as one HTML page." type:"path" placeholder:"FILE" name:"html"`
}

// Run shows one version.
func (c *showCommand) Run(ctx context.Context, s *session) error {
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		version, err := h.Version(ctx, profile, c.Version)
		if err != nil {
			return err
		}
		r, err := taste.ReportOf(version.ProbeVersion)
		imported := errors.Is(err, palate.ErrNotFound)
		if err != nil && (!imported || c.HTML != "") {
			return err
		}
		if c.HTML != "" {
			if err := writeReport(c.HTML, fmt.Sprintf("The taste of %s, version %d", profile, version.Version), r); err != nil {
				return err
			}
		}
		if s.JSON {
			report, err := taste.Told(version.ProbeVersion)
			if err != nil {
				return err
			}
			return s.Print(map[string]any{"profile": profile, "version": version.Version, "current": version.Current, "reason": version.Reason,
				"trained_at": version.TrainedAt, "settings": version.Learned.Settings, "report": report})
		}
		if imported {
			r = nil
		}
		show.Version(s.Terminal, profile, version, r)
		return nil
	})
}

type versionsCommand struct {
	First  int `arg:"" help:"Number of a version."`
	Second int `arg:"" help:"Number of another."`
}

// Run compares two versions.
func (c *versionsCommand) Run(ctx context.Context, s *session) error {
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		d, err := h.Tastes.CompareVersions(ctx, profile, c.First, c.Second)
		if err != nil {
			return err
		}
		return s.Done(d, "%s", taste.DifferenceWords(d, c.First, c.Second))
	})
}

type rollbackCommand struct {
	Version int `arg:"" help:"Number of the version that shall serve."`
}

// Run lets an earlier version serve.
func (c *rollbackCommand) Run(ctx context.Context, s *session) error {
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		version, err := h.Tastes.Rollback(ctx, profile, c.Version)
		if err != nil {
			return err
		}
		return s.Done(map[string]any{"profile": profile, "version": version.Version, "current": true},
			"Version %d of %s serves, until a training after further ratings gives a better one.", version.Version, profile)
	})
}

type exportCommand struct {
	File    string `arg:"" help:"File to write; - is standard output." type:"path"`
	Version int    `help:"Number of the version; the serving one if left out." placeholder:"N"`
}

// Run writes a version to a file.
func (c *exportCommand) Run(ctx context.Context, s *session) error {
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		version, err := h.Version(ctx, profile, c.Version)
		if err != nil {
			return err
		}
		exported, err := h.Tastes.Export(ctx, profile, version.Version)
		if err != nil {
			return err
		}
		if c.File == "-" {
			_, err := s.Out().Write(exported)
			return err
		}
		err = atomicfile.Write(c.File, 0o644, func(w io.Writer) error { _, err := w.Write(exported); return err })
		if err != nil {
			return err
		}
		return s.Done(map[string]any{"profile": profile, "version": version.Version, "file": c.File, "bytes": len(exported)},
			"Version %d of %s is in %s (%d bytes).", version.Version, profile, c.File, len(exported))
	})
}

type importProbe struct {
	File string `arg:"" help:"File that palate probe export wrote." type:"existingfile"`
}

// Run adds an exported probe.
func (c *importProbe) Run(ctx context.Context, s *session) error {
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		version, err := h.ImportProbe(ctx, profile, c.File)
		if err != nil {
			return err
		}
		return s.Done(map[string]any{"profile": profile, "version": version.Version, "current": true},
			"%s is version %d of %s and serves.", c.File, version.Version, profile)
	})
}
