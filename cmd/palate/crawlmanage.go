package main

import (
	"context"
	"os"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/internal/terminal"
)

type listCrawls struct{}

// Run lists the crawls.
func (c *listCrawls) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		crawls, err := h.Crawls(ctx)
		if err != nil {
			return err
		}
		return show.Crawls(s.Terminal, crawls)
	})
}

type reportCrawl struct {
	Name   string `arg:"" help:"Name of the crawl, as \"palate crawl list\" shows it."`
	Reason string `help:"Only losses of this reason." placeholder:"REASON"`
	Limit  int    `help:"Losses to show at most; 0 is all." default:"50" placeholder:"N" short:"n"`
}

// Run shows what came from where, and every loss with its address.
func (c *reportCrawl) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		report, err := h.CrawlReport(ctx, c.Name, c.Reason, c.Limit)
		if err != nil {
			return err
		}
		return show.Crawl(s.Terminal, report)
	})
}

type forgetCrawl struct {
	Name string `arg:"" help:"Name of the crawl, as \"palate crawl list\" shows it."`
}

// Run forgets a crawl.
func (c *forgetCrawl) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		if err := h.ForgetCrawl(ctx, c.Name); err != nil {
			return err
		}
		s.Say("Forgot the crawl %s: what it had still to visit and what it lost. Its pictures stay.", c.Name)
		return nil
	})
}

type resumeCrawl struct {
	Name   string   `arg:"" help:"Name of the crawl, as \"palate crawl list\" shows it."`
	Header []string `help:"Header for the sites that the crawl names; it is not kept with the crawl." placeholder:"NAME:VALUE" sep:"none"`
}

// Run goes on with a crawl as it was begun.
func (c *resumeCrawl) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		settings, err := h.CrawlSettings(ctx, c.Name)
		if err != nil {
			return err
		}
		settings.Header = c.Header
		if settings.Input == collection.StandardInput && !terminal.IsPiped(os.Stdin) {
			return usagef("the crawl %s was begun with a list from standard input, which is not kept: pipe the same list in again", c.Name)
		}
		job, err := settings.Plan(version())
		if err != nil {
			return err
		}
		return s.crawl(ctx, h, job)
	})
}
