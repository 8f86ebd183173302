package main

import (
	"context"
	"errors"
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
	return s.withHome(ctx, func(h *collection.Collection) error {
		report, err := h.Verify(ctx, verify.Config{Deep: c.Deep, Repair: c.Repair, OlderThan: c.OlderThan})
		if err != nil {
			return err
		}
		err = s.Show(report, func() {
			if rows := report.Table(); len(rows) > 1 {
				s.Table(rows...)
			}
			s.SayAll(report.Words(c.Repair))
		})
		return errors.Join(err, report.Err())
	})
}
