package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/internal/terminal"
)

type importCommand struct {
	Files  importFiles  `cmd:"" default:"withargs" help:"Add them."`
	Report importReport `cmd:"" help:"Every file that an import did not take, and every damaged picture that it kept, with the reason."`
}

type importFiles struct {
	Paths     []string `arg:"" optional:"" name:"path" help:"Folders or files." type:"path"`
	Like      bool     `help:"Like every picture." xor:"verdict"`
	Dislike   bool     `help:"Dislike every picture." xor:"verdict"`
	LikeFrom  int      `help:"Take so many stars and more, as metadata and sidecars give them, for a like." placeholder:"STARS"`
	DislikeTo int      `help:"Take so many stars and fewer for a dislike; what is rejected is one in any case." placeholder:"STARS"`
	Store     string   `help:"How to keep the files: copy them, link to them (one disk), or reference them where they are." enum:"copy,link,reference" default:"copy"`
	Adopt     bool     `help:"Take in picture files of the collection's own folder that its catalog does not know, as after a catalog was lost: titles and ratings stay lost, deleted pictures may return."`
	Yes       bool     `help:"With --adopt: do not ask." short:"y"`
}

// Run imports and prints the funnel.
func (c *importFiles) Run(ctx context.Context, s *session) error {
	switch {
	case c.Adopt:
		return c.adopt(ctx, s)
	case len(c.Paths) == 0:
		return usagef("name folders or files to import")
	}
	profile, err := s.profile()
	if err != nil {
		return err
	}
	judging := collection.Judging{LikeFrom: c.LikeFrom, DislikeTo: c.DislikeTo}
	switch {
	case c.Like:
		judging.All = palate.Like
	case c.Dislike:
		judging.All = palate.Dislike
	}
	files, err := collection.ReadPaths(ctx, c.Paths, judging, s)
	if err != nil {
		return err
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	report, err := h.Import(ctx, ingest.Import{Mode: ingest.StoreMode(c.Store), Profile: profile, Files: files})
	if printErr := show.Import(s.Terminal, report); err == nil {
		err = printErr
	}
	if err == nil && report.Seen > 0 && report.Kept+report.Known == 0 {
		err = fmt.Errorf("none of %d files is a picture that can be kept: %s", report.Seen, terminal.Counts(report.Lost))
	}
	h.Tend(ctx)
	return errors.Join(err, h.Close())
}

type importReport struct {
	Job int64 `arg:"" optional:"" help:"Number of the import, which it prints and palate jobs shows (default: the last one)."`
	CSV bool  `name:"csv" help:"As CSV: file, reason, kept, what."`
}

// Run lists what an import lost.
func (c *importReport) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		list, err := h.ImportLosses(ctx, c.Job)
		if err != nil {
			return err
		}
		if c.CSV {
			return list.WriteCSV(s.Out())
		}
		return s.Show(list, func() { s.SayAll(list.Words()); s.Table(list.Table()...) })
	})
}

// adopt gives files without a row one, after asking.
func (c *importFiles) adopt(ctx context.Context, s *session) error {
	if len(c.Paths) > 0 {
		return usagef("--adopt takes the files of the collection itself: name no paths")
	}
	h, err := s.opened(collection.OpenToAdopt(ctx, s.collectionConfig(), s, s.logger))
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, collection.AdoptQuestion(s.Data)); err != nil {
		return errors.Join(err, h.Close())
	}
	report, err := h.Adopt(ctx)
	if err == nil {
		err = s.Show(report, func() {
			s.Say("%d picture files -> %d adopted, %d known", report.Files, report.Adopted, report.Known)
			show.Losses(s.Terminal, report.Lost, report.Examples)
		})
	}
	return errors.Join(err, h.Close())
}
