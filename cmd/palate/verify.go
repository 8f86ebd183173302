package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/verify"
)

type verifyCommand struct {
	Deep      bool          `help:"Read every file and compare its SHA-256, decode every thumbnail, compare every point of the index, and read the whole catalog, instead of presence, lengths and a sample."`
	Repair    bool          `help:"Mend what can be mended from what is there. Nothing that may be yours is deleted: files without a row are moved aside, for 30 days."`
	OlderThan time.Duration `help:"Leave files without a row alone that came later than this ago, as their row may come yet." default:"1m" placeholder:"DURATION"`
}

// Run holds the parts of the collection against each other.
func (c *verifyCommand) Run(ctx context.Context, s *session) error {
	if c.OlderThan < 0 {
		return usagef("--older-than is %v, want 0 or more", c.OlderThan)
	}
	return s.withHome(ctx, func(h *collection.Collection) error { return c.verify(ctx, s, h) })
}

func (c *verifyCommand) verify(ctx context.Context, s *session, h *collection.Collection) error {
	config := verify.DefaultConfig()
	config.Deep, config.Repair, config.OlderThan = c.Deep, c.Repair, c.OlderThan
	report, err := h.Verify(ctx, config)
	if err != nil {
		return err
	}
	if s.JSON {
		err = s.print(report)
	} else {
		s.printReport(report, c.Repair)
	}
	switch {
	case err != nil || report.Well():
		return err
	case len(report.Left()) == 0:
		return errors.New("not all of the collection could be looked at")
	}
	return errors.New("the collection is not whole")
}

func (s *session) printReport(r verify.Report, repair bool) {
	rows := [][]string{{"DAMAGE", "OF", "TITLE", "DETAIL"}}
	for _, f := range r.Findings {
		of := string(f.Profile)
		if of == "" && !f.Image.IsZero() {
			of = f.Image.String()
		}
		detail := f.Detail
		if f.Mended != "" {
			detail = strings.TrimPrefix(detail+"; "+f.Mended, "; ")
		}
		rows = append(rows, []string{string(f.Damage), of, shorten(f.Title, 40), detail})
	}
	if len(rows) > 1 {
		s.table(rows...)
	}
	for _, line := range r.Words(repair) {
		s.say("%s", line)
	}
}
