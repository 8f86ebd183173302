package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/terminal"
)

type importCommand struct {
	Paths     []string `arg:"" optional:"" name:"path" help:"Folders or files." type:"path"`
	Like      bool     `help:"Like every picture." xor:"verdict"`
	Dislike   bool     `help:"Dislike every picture." xor:"verdict"`
	LikeFrom  int      `help:"Take so many stars and more, as metadata and sidecars give them, for a like." placeholder:"STARS"`
	DislikeTo int      `help:"Take so many stars and fewer for a dislike; what is rejected is one in any case." placeholder:"STARS"`
	Store     string   `help:"How to keep the files: copy them, link to them (one disk), or reference them where they are." enum:"copy,link,reference" default:"copy"`
	Adopt     bool     `help:"Take in picture files of the collection's own folder that its catalog does not know, as after a catalog was lost: titles and ratings stay lost, deleted pictures may return."`
	Report    bool     `help:"Show every file that the last import lost, and every damaged picture that it kept, with the reason."`
	Yes       bool     `help:"With --adopt: do not ask."`
}

// Run imports and prints the funnel.
func (c *importCommand) Run(ctx context.Context, s *session) error {
	switch {
	case c.Adopt:
		return c.adopt(ctx, s)
	case c.Report:
		return c.report(s)
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
	if printErr := s.printImport(report); err == nil {
		err = printErr
	}
	if err == nil && report.Seen > 0 && report.Kept+report.Known == 0 {
		err = fmt.Errorf("none of %d files is a picture that can be kept: %s", report.Seen, terminal.Counts(report.Lost))
	}
	h.Tend(ctx)
	return errors.Join(err, h.Close())
}

// report shows what the last import had to say of single files.
func (c *importCommand) report(s *session) error {
	if len(c.Paths) > 0 {
		return usagef("--report shows the last import: name no paths")
	}
	list, err := collection.LastImport(s.Data)
	if err != nil {
		return err
	}
	return s.Show(list, func() {
		s.Say("the import of %s: %d files seen, %d kept", terminal.Minute(list.Ended), list.Seen, list.Kept)
		if len(list.Remarks) > 0 {
			terminal.Rows(s.Terminal, list.Remarks, "", []string{"FILE", "REASON", "WHAT"}, func(r ingest.Remark) []string { return []string{r.Path, r.Reason, r.What} })
		}
	})
}

// adopt gives files without a row one, after asking.
func (c *importCommand) adopt(ctx context.Context, s *session) error {
	if len(c.Paths) > 0 {
		return usagef("--adopt takes the files of the collection itself: name no paths")
	}
	h, err := s.opened(collection.OpenToAdopt(ctx, s.collectionConfig(), s, s.logger))
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Every picture file in %s that the catalog does not know becomes an image of the collection. "+
		"What only a lost catalog knew is gone: titles, sources, ratings. Pictures that were deleted may return. "+
		"A backup (palate restore) would bring all of it back. Go on?", s.Data)
	if err := s.confirm(c.Yes, question); err != nil {
		return errors.Join(err, h.Close())
	}
	report, err := h.Adopt(ctx)
	if err == nil && s.JSON {
		err = s.Print(report)
	} else if err == nil {
		s.Say("%d picture files -> %d adopted, %d known", report.Files, report.Adopted, report.Known)
		s.printLosses(report.Lost, report.Examples)
	}
	return errors.Join(err, h.Close())
}

func (s *session) printImport(r ingest.ImportReport) error {
	if s.JSON {
		return s.Print(r)
	}
	s.Say("%d files seen -> %d kept, %d known, %d rated", r.Seen, r.Kept, r.Known, r.Rated)
	s.printLosses(r.Lost, r.Examples)
	if r.Damaged > 0 {
		s.Say("%d of the pictures kept are damaged, and shown as far as they go", r.Damaged)
	}
	s.sayAll(r.Contradictions())
	if len(r.Remarks) > 0 {
		s.Notef("every one of these files, with its reason: palate import --report")
	}
	if example := r.Examples["deleted"]; example != "" { // in full: it says how it comes back
		s.Notef("%s", example)
	}
	return nil
}
