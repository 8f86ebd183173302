package collection

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// lossesAtOnce is how many losses are read at a time.
const lossesAtOnce = 1000

// CrawlRow is how far a crawl has come.
type CrawlRow struct {
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

// crawlRow describes a crawl.
func crawlRow(c catalog.Crawl) CrawlRow {
	row := CrawlRow{
		Name: c.Name, Round: c.Progress.Round, Begun: c.BegunAt, Pages: c.Progress.Pages, Kept: c.Progress.Kept,
		Known: c.Progress.Known, Pending: c.Progress.Pending, Lost: c.Progress.Lost,
	}
	if c.Until.After(time.Now()) {
		row.Until = c.Until
	}
	return row
}

// Crawls lists the crawls that there have been.
func (c *Collection) Crawls(ctx context.Context) ([]CrawlRow, error) {
	crawls, err := c.Catalog.ListCrawls(ctx)
	rows := make([]CrawlRow, len(crawls))
	for i, crawl := range crawls {
		rows[i] = crawlRow(crawl)
	}
	return rows, err
}

// CrawlLoss is one address that came to nothing.
type CrawlLoss struct {
	URL    string `json:"url"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// CrawlReport is what a crawl came to.
type CrawlReport struct {
	CrawlRow
	Added      int         `json:"added"`      // pictures of any round, not deleted since
	Embedded   int         `json:"embedded"`   // of those
	Unreadable int         `json:"unreadable"` // of those, that no model could decode
	Losses     []CrawlLoss `json:"losses"`
}

// CrawlReport tells what came from where, and losses of the reason (empty: of
// any), at most limit of them (0: all).
func (c *Collection) CrawlReport(ctx context.Context, name, reason string, limit int) (CrawlReport, error) {
	crawl, err := c.FindCrawl(ctx, name)
	if err != nil {
		return CrawlReport{}, err
	}
	report := CrawlReport{CrawlRow: crawlRow(crawl), Losses: []CrawlLoss{}}
	pictures, err := c.Catalog.CrawlPictures(ctx, name)
	if err != nil {
		return report, err
	}
	report.Added, report.Embedded, report.Unreadable = pictures.Added, pictures.Embedded, len(pictures.Unreadable)
	full := func() bool { return limit > 0 && len(report.Losses) >= limit }
	for _, u := range pictures.Unreadable {
		if !full() && (reason == "" || reason == "unreadable") {
			report.Losses = append(report.Losses, CrawlLoss{URL: u.Address, Kind: "image", Reason: "unreadable", Detail: u.Reason})
		}
	}
	for after := int64(0); !full(); {
		losses, err := c.Catalog.CrawlLosses(ctx, name, reason, after, lossesAtOnce)
		if err != nil || len(losses) == 0 {
			return report, err
		}
		for _, l := range losses {
			if after = l.ID; !full() {
				report.Losses = append(report.Losses, CrawlLoss{URL: l.URL, Kind: string(l.Kind), Reason: l.Reason, Detail: l.Detail})
			}
		}
	}
	return report, nil
}

// FindCrawl finds a crawl by its name.
func (c *Collection) FindCrawl(ctx context.Context, name string) (catalog.Crawl, error) {
	crawls, err := c.Catalog.ListCrawls(ctx)
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

// CrawlSettings are those that a crawl was begun with.
func (c *Collection) CrawlSettings(ctx context.Context, name string) (CrawlSettings, error) {
	crawl, err := c.FindCrawl(ctx, name)
	if err != nil {
		return CrawlSettings{}, err
	}
	if crawl.Settings == "" {
		return CrawlSettings{}, askedf("the crawl %q was begun by an older palate, which did not keep how: run \"palate crawl\" with its addresses and --name", name)
	}
	var s CrawlSettings
	if err := json.Unmarshal([]byte(crawl.Settings), &s); err != nil {
		return CrawlSettings{}, fmt.Errorf("crawl %s: %w", name, err)
	}
	s.Name = name
	return s, nil
}
