package show

import (
	"fmt"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/terminal"
)

// Funnel shows how many pictures came through a crawl, and why the others did
// not.
func Funnel(t *terminal.Terminal, r crawler.Report) error {
	return t.Show(r, func() {
		for _, api := range r.APIs {
			t.Say("%s is a MediaWiki API: it was asked by the API's own rules (your contact, one request at a time, maxlag); pages and pictures by robots.txt", api)
		}
		t.Say("%d pages -> %d candidates -> %d fetched -> %d kept, %d known", r.Pages, r.Candidates, r.Fetched, r.Kept, r.Known)
		examples := make(map[string]string)
		for reason, losses := range r.Examples {
			if len(losses) > 0 {
				examples[reason] = losses[0].URL + ": " + losses[0].Detail
			}
		}
		Losses(t, r.Lost, examples)
		if !r.Until.IsZero() {
			t.Say("%d addresses wait until %s, as their site asked: run the same crawl again then", r.Pending, terminal.Minute(r.Until))
		}
	})
}

// Losses shows reasons, the most frequent first, with an example of each.
func Losses(t *terminal.Terminal, lost map[string]int, examples map[string]string) {
	if len(lost) == 0 {
		return
	}
	rows := [][]string{{"LOST", "REASON", "FOR EXAMPLE"}}
	for _, reason := range terminal.ByCount(lost) {
		rows = append(rows, []string{fmt.Sprint(lost[reason]), reason, terminal.Shorten(examples[reason], 90)})
	}
	t.Table(rows...)
}

// Import shows what came of an import.
func Import(t *terminal.Terminal, r ingest.ImportReport) error {
	return t.Show(r, func() {
		t.Say("%d files seen -> %d kept, %d known, %d rated", r.Seen, r.Kept, r.Known, r.Rated)
		Losses(t, r.Lost, r.Examples)
		t.SayAll(r.Words())
		if example := r.Examples["deleted"]; example != "" { // in full: it says how it comes back
			t.Notef("%s", example)
		}
	})
}

// Crawls lists the crawls there have been.
func Crawls(t *terminal.Terminal, crawls []collection.CrawlRow) error {
	return t.Show(map[string]any{"crawls": crawls}, func() {
		terminal.Rows(t, crawls, "There has been no crawl yet.", []string{"NAME", "BEGUN", "PAGES", "KEPT", "KNOWN", "LOST", "PENDING"}, crawlRow)
	})
}

func crawlRow(c collection.CrawlRow) []string {
	lost, pending := 0, fmt.Sprint(c.Pending)
	for _, n := range c.Lost {
		lost += n
	}
	if c.Pending > 0 && !c.Until.IsZero() {
		pending += ", until " + terminal.Minute(c.Until)
	}
	return []string{terminal.Shorten(c.Name, 60), terminal.Minute(c.Begun), fmt.Sprint(c.Pages), fmt.Sprint(c.Kept), fmt.Sprint(c.Known), fmt.Sprint(lost), pending}
}

// Crawl shows what a crawl came to, with its losses.
func Crawl(t *terminal.Terminal, report collection.CrawlReport) error {
	return t.Show(report, func() {
		t.Say("%d pages read, %d pictures kept, %d known, %d addresses pending", report.Pages, report.Kept, report.Known, report.Pending)
		if !report.Until.IsZero() {
			t.Say("The pending ones wait until %s, as their site asked.", terminal.Minute(report.Until))
		}
		if waiting := report.Added - report.Embedded - report.Unreadable; waiting > 0 {
			t.Say("%d of the %d pictures are not decoded yet: \"palate embed\" does that, and tells which can't be read.", waiting, report.Added)
		}
		if len(report.Losses) > 0 {
			terminal.Rows(t, report.Losses, "", []string{"REASON", "ADDRESS", "WHY"}, func(l collection.CrawlLoss) []string {
				return []string{l.Reason, terminal.Shorten(l.URL, 100), terminal.Shorten(l.Detail, 90)}
			})
		}
	})
}

// Subscriptions lists subscriptions.
func Subscriptions(t *terminal.Terminal, all []collection.SubscriptionEntry) error {
	return t.Show(map[string]any{"subscriptions": all}, func() {
		none := "There is no subscription yet: \"palate subscribe ADDRESS --every 24h\" makes one."
		terminal.Rows(t, all, none, []string{"NAME", "EVERY", "LAST", "BROUGHT", "NEXT", ""}, subscriptionRow)
	})
}

func subscriptionRow(one collection.SubscriptionEntry) []string {
	last, next := "never", terminal.Minute(one.Next)
	if !one.Last.IsZero() {
		last = terminal.Minute(one.Last)
	}
	if one.Paused {
		next = "paused"
	}
	return []string{terminal.Shorten(one.Name, 60), one.Every, last, fmt.Sprint(one.Brought), next, terminal.Shorten(one.Failure, 80)}
}
