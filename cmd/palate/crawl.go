package main

import (
	"context"
	"errors"
	"strings"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
)

type crawlCommand struct {
	Begin  beginCrawl  `cmd:"" default:"withargs" help:"Collect pictures: what \"palate crawl ADDRESS --contact you@example.org\" does. \"palate crawl begin --help\" shows its flags."`
	List   listCrawls  `cmd:"" help:"The crawls there have been, and how far each has come."`
	Report reportCrawl `cmd:"" help:"What a crawl came to: every loss with its address and reason."`
	Resume resumeCrawl `cmd:"" help:"Go on with a crawl as it was begun, or look for what is new."`
	Forget forgetCrawl `cmd:"" help:"Forget a crawl's frontier and losses; its pictures stay."`
}

type beginCrawl struct {
	Seeds []string `arg:"" name:"url" optional:"" help:"Where to begin: a gallery's page, a category such as https://commons.wikimedia.org/wiki/Category:Vedute, or commons:Category:Vedute."`
	Input string   `help:"A list of further addresses to begin at, or - for standard input: one on each line, or a table, CSV or Parquet, with a column url and others such as title, artist, date, license." placeholder:"FILE"`
	Name  string   `help:"Name of the crawl, to go on with it later (default: the addresses it begins at)."`

	crawlFlags `embed:""`

	DryRun    bool   `help:"Fetch and keep no picture: print the addresses that would be fetched."`
	JSONL     string `help:"Write a line of JSON for each picture that is kept to this file: its image, address, title, artist, licence and so on." name:"jsonl" placeholder:"FILE" type:"path"`
	Museum    string `help:"Crawl the synthetic museum that \"palate museum\" serves at this address." placeholder:"HOST:PORT"`
	MediaWiki bool   `help:"With --museum: crawl its MediaWiki API instead of its gallery pages." name:"mediawiki"`
}

// Run crawls and prints the funnel.
func (c *beginCrawl) Run(ctx context.Context, s *session) error {
	job, err := c.plan()
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.dryRun(ctx, s, job)
	}
	s.fills = true
	return s.withHome(ctx, func(h *collection.Collection) error { return s.crawl(ctx, h, job) })
}

// crawl crawls and prints the funnel, even of a crawl that failed.
func (s *session) crawl(ctx context.Context, h *collection.Collection, job collection.Crawl) error {
	report, err := h.Crawl(ctx, job)
	if printErr := show.Funnel(s.Terminal, report); err == nil {
		err = printErr
	}
	h.Tend(ctx)
	return err
}

// plan reads the flags.
func (c *beginCrawl) plan() (collection.Crawl, error) {
	settings := collection.CrawlSettings{Seeds: c.Seeds, Input: c.Input, Name: c.Name, CrawlBehaviour: collection.CrawlBehaviour(c.crawlFlags),
		JSONL: c.JSONL, Museum: c.Museum, MediaWiki: c.MediaWiki}
	return settings.Plan(version())
}

// dryRun crawls into a collection that goes when it ends, and keeps nothing.
func (c *beginCrawl) dryRun(ctx context.Context, s *session, job collection.Crawl) error {
	report, err := collection.DryRun(ctx, s.collectionConfig(), job, func(task crawler.Task) {
		s.Say("%s", strings.TrimRight(task.URL+"\t"+task.Source.Title, "\t"))
	}, s, s.logger)
	s.Notef("%d pages were read; %d pictures would be fetched", report.Pages, report.Lost[crawler.ReasonDryRun])
	if s.JSON {
		err = errors.Join(err, s.Print(report))
	}
	return err
}
