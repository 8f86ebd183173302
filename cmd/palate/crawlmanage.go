package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
)

// lossesAtOnce is how many losses are read at a time.
const lossesAtOnce = 1000

type listCrawls struct{}

type crawlRow struct {
	Name    string         `json:"name"`
	Round   int            `json:"round"`
	Begun   time.Time      `json:"begun_at"`
	Pages   int            `json:"pages"`
	Kept    int            `json:"kept"`
	Known   int            `json:"known"`
	Pending int            `json:"pending"`
	Lost    map[string]int `json:"lost"`
	Until   time.Time      `json:"until,omitzero"` // when the pending ones may go on
}

func crawlRowOf(c catalog.Crawl) crawlRow {
	row := crawlRow{
		Name: c.Name, Round: c.Progress.Round, Begun: c.BegunAt, Pages: c.Progress.Pages, Kept: c.Progress.Kept,
		Known: c.Progress.Known, Pending: c.Progress.Pending, Lost: c.Progress.Lost,
	}
	if c.Until.After(time.Now()) {
		row.Until = c.Until
	}
	return row
}

// Run lists the crawls.
func (c *listCrawls) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		crawls, err := h.Catalog.ListCrawls(ctx)
		if err != nil {
			return err
		}
		rows := []crawlRow{}
		table := [][]string{{"NAME", "BEGUN", "PAGES", "KEPT", "KNOWN", "LOST", "PENDING"}}
		for _, crawl := range crawls {
			row := crawlRowOf(crawl)
			rows = append(rows, row)
			lost, pending := 0, fmt.Sprint(row.Pending)
			for _, n := range row.Lost {
				lost += n
			}
			if row.Pending > 0 && !row.Until.IsZero() {
				pending += ", until " + row.Until.Local().Format("2006-01-02 15:04")
			}
			table = append(table, []string{shorten(row.Name, 60), row.Begun.Local().Format("2006-01-02 15:04"),
				fmt.Sprint(row.Pages), fmt.Sprint(row.Kept), fmt.Sprint(row.Known), fmt.Sprint(lost), pending})
		}
		if s.JSON {
			return s.print(map[string]any{"crawls": rows})
		}
		if len(rows) == 0 {
			s.say("There has been no crawl yet.")
			return nil
		}
		s.table(table...)
		return nil
	})
}

type reportCrawl struct {
	Name   string `arg:"" help:"Name of the crawl, as \"palate crawl list\" shows it."`
	Reason string `help:"Only losses of this reason." placeholder:"REASON"`
	Limit  int    `help:"Losses to show at most; 0 is all." default:"50" placeholder:"N"`
}

type lossRow struct {
	URL    string `json:"url"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

type crawlReport struct {
	crawlRow
	Added      int       `json:"added"`      // pictures of any round, not deleted since
	Embedded   int       `json:"embedded"`   // of those
	Unreadable int       `json:"unreadable"` // of those, that no model could decode
	Losses     []lossRow `json:"losses"`
}

// Run shows what came from where, and every loss with its address.
func (c *reportCrawl) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		report, err := c.read(ctx, h)
		if err != nil {
			return err
		}
		if s.JSON {
			return s.print(report)
		}
		s.say("%d pages read, %d pictures kept, %d known, %d addresses pending", report.Pages, report.Kept, report.Known, report.Pending)
		if !report.Until.IsZero() {
			s.say("The pending ones wait until %s, as their site asked.", report.Until.Local().Format("2006-01-02 15:04"))
		}
		if waiting := report.Added - report.Embedded - report.Unreadable; waiting > 0 {
			s.say("%d of the %d pictures are not decoded yet: \"palate embed\" does that, and tells which can't be read.", waiting, report.Added)
		}
		if len(report.Losses) > 0 {
			rows := [][]string{{"REASON", "ADDRESS", "WHY"}}
			for _, l := range report.Losses {
				rows = append(rows, []string{l.Reason, shorten(l.URL, 100), shorten(l.Detail, 90)})
			}
			s.table(rows...)
		}
		return nil
	})
}

func (c *reportCrawl) read(ctx context.Context, h *collection.Collection) (crawlReport, error) {
	crawl, err := findCrawl(ctx, h, c.Name)
	if err != nil {
		return crawlReport{}, err
	}
	report := crawlReport{crawlRow: crawlRowOf(crawl), Losses: []lossRow{}}
	pictures, err := h.Catalog.CrawlPictures(ctx, c.Name)
	if err != nil {
		return report, err
	}
	report.Added, report.Embedded, report.Unreadable = pictures.Added, pictures.Embedded, len(pictures.Unreadable)
	full := func() bool { return c.Limit > 0 && len(report.Losses) >= c.Limit }
	for _, u := range pictures.Unreadable {
		if !full() && (c.Reason == "" || c.Reason == "unreadable") {
			report.Losses = append(report.Losses, lossRow{URL: u.Address, Kind: "image", Reason: "unreadable", Detail: u.Reason})
		}
	}
	for after := int64(0); !full(); {
		losses, err := h.Catalog.CrawlLosses(ctx, c.Name, c.Reason, after, lossesAtOnce)
		if err != nil || len(losses) == 0 {
			return report, err
		}
		for _, l := range losses {
			if after = l.ID; !full() {
				report.Losses = append(report.Losses, lossRow{URL: l.URL, Kind: string(l.Kind), Reason: l.Reason, Detail: l.Detail})
			}
		}
	}
	return report, nil
}

func findCrawl(ctx context.Context, h *collection.Collection, name string) (catalog.Crawl, error) {
	crawls, err := h.Catalog.ListCrawls(ctx)
	if err != nil {
		return catalog.Crawl{}, err
	}
	for _, crawl := range crawls {
		if crawl.Name == name {
			return crawl, nil
		}
	}
	return catalog.Crawl{}, fmt.Errorf("there is no crawl %q; \"palate crawl list\" shows them: %w", name, palate.ErrNotFound)
}

type forgetCrawl struct {
	Name string `arg:"" help:"Name of the crawl, as \"palate crawl list\" shows it."`
}

// Run forgets a crawl.
func (c *forgetCrawl) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		if _, err := findCrawl(ctx, h, c.Name); err != nil {
			return err
		}
		lease, err := h.Catalog.AcquireLease(ctx, "crawl-"+c.Name)
		if err != nil {
			return fmt.Errorf("crawl forget: %w", err)
		}
		defer lease.Release()
		if err := h.Catalog.ForgetCrawl(ctx, c.Name); err != nil {
			return err
		}
		s.say("Forgot the crawl %s: what it had still to visit and what it lost. Its pictures stay.", c.Name)
		return nil
	})
}

type resumeCrawl struct {
	Name   string   `arg:"" help:"Name of the crawl, as \"palate crawl list\" shows it."`
	Header []string `help:"Header for the sites that the crawl names; it is not kept with the crawl." placeholder:"NAME:VALUE" sep:"none"`
}

// Run goes on with a crawl as it was begun.
func (c *resumeCrawl) Run(ctx context.Context, s *session) error {
	var begun beginCrawl
	err := s.withHome(ctx, func(h *collection.Collection) error {
		crawl, err := findCrawl(ctx, h, c.Name)
		if err != nil {
			return err
		}
		if crawl.Settings == "" {
			return usagef("the crawl %q was begun by an older palate, which did not keep how: run \"palate crawl\" with its addresses and --name", c.Name)
		}
		return json.Unmarshal([]byte(crawl.Settings), &begun)
	})
	if err != nil {
		return err
	}
	begun.Name, begun.Header = c.Name, c.Header
	return begun.Run(ctx, s)
}
