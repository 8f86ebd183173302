package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
)

func TestCrawlsAreListedReportedResumedAndForgotten(t *testing.T) {
	museum, home := program.StartMuseum(t, 12), filepath.Join(t.TempDir(), "data")
	lines := filepath.Join(t.TempDir(), "kept.jsonl")
	at := []string{"--data", home}
	first := program.JSONRun[crawler.Report](t, append([]string{"crawl", "--museum", museum.Addr, "--name", "m", "--filter", "width>=200", "--jsonl", lines}, at...)...)
	if first.Kept != 12 {
		t.Fatalf("kept %d of 12: %v", first.Kept, first.Lost)
	}
	data, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	records := program.JSONValues[collection.Record](t, string(data))
	if len(records) != 12 || records[0].Source.Title == "" || records[0].Image == "" || records[0].Width == 0 {
		t.Errorf("%d lines, the first %+v, want 12 with title and size", len(records), records[0])
	}

	list := program.JSONRun[struct{ Crawls []collection.CrawlRow }](t, append([]string{"crawl", "list"}, at...)...)
	if len(list.Crawls) != 1 || list.Crawls[0].Name != "m" || list.Crawls[0].Kept != 12 {
		t.Errorf("the list is %+v", list)
	}
	report := program.JSONRun[collection.CrawlReport](t, append([]string{"crawl", "report", "m"}, at...)...)
	reasons := map[string]int{}
	for _, l := range report.Losses {
		if !strings.HasPrefix(l.URL, "http") {
			t.Errorf("a loss without an address: %+v", l)
		}
		reasons[l.Reason]++
	}
	if reasons["too_small"] != first.Lost["too_small"] || reasons["page_robots"] != 1 || report.Added != 12 || report.Embedded != 0 {
		t.Errorf("the report is %+v, want the losses %v and 12 pictures", report, first.Lost)
	}
	if text := program.MustRun(t, append([]string{"crawl", "report", "m", "--reason", "page_robots"}, at...)...); !strings.Contains(text, "not decoded yet") || strings.Contains(text, "too_small") {
		t.Errorf("the report says:\n%s", text)
	}
	if again := program.JSONRun[crawler.Report](t, append([]string{"crawl", "resume", "m"}, at...)...); again.Known != 12 || again.Kept != 0 || again.Round != 2 {
		t.Errorf("resumed: %+v, want 12 known in round 2", again)
	}
	program.MustRun(t, append([]string{"crawl", "forget", "m"}, at...)...)
	for _, command := range []string{"forget", "report", "resume"} {
		if r := program.RunPalate(t, append([]string{"crawl", command, "m"}, at...)...); r.Code == exitDone || !strings.Contains(r.Err, "palate crawl list") {
			t.Errorf("crawl %s of none: code %d, %s", command, r.Code, r.Err)
		}
	}
}

func TestADryRunPrintsAddressesAndKeepsNothing(t *testing.T) {
	museum, home := program.StartMuseum(t, 12), filepath.Join(t.TempDir(), "data")
	out := program.MustRun(t, "crawl", "--museum", museum.Addr, "--dry-run", "--data", home)
	if n := strings.Count(out, "http://"); n < 12 {
		t.Errorf("%d addresses, want 12 at least:\n%s", n, out)
	}
	if got := museum.PictureRequests(); len(got) > 0 {
		t.Errorf("%d pictures were fetched", len(got))
	}
	if _, err := os.Stat(home); err == nil {
		t.Error("a collection was made")
	}
}

func TestCrawlFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	cookies := filepath.Join(t.TempDir(), "cookies.txt")
	if err := os.WriteFile(cookies, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, value := range map[string]string{
		"--delay": "1ms", "--parallel": "20", "--limit-rate": "fast", "--site": "example.org speed=9", "--want": "big", "--include": "(",
		"--filter": "colour=red", "--range": "9-1", "--cookies": cookies, "--header": "no colon", "--proxy": "proxy", "--input": "/nowhere/list.txt",
	} {
		r := program.RunPalate(t, "crawl", "https://gallery.example/", "--contact", "me@example.org", flag, value, "--data", t.TempDir())
		if r.Code != exitUsage || r.Err == "" {
			t.Errorf("%s %s: code %d, %s", flag, value, r.Code, r.Err)
		}
	}
}

func TestInputIsOneAddressALine(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(list, []byte("# mine\nhttp://127.0.0.1:9/a\r\n\nhttp://127.0.0.1:9/b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	delay := time.Duration(0)
	c := beginCrawl{Input: list, crawlFlags: crawlFlags{Contact: "me@example.org", MaxDepth: -1, Retries: -1, Delay: &delay, Parallel: 32}}
	job, err := c.plan()
	if err != nil || len(job.Seeds) != 2 || job.Config.Site.Delay != 0 || job.Config.Site.Parallelism != 32 {
		t.Errorf("seeds %v, pace %+v (%v): want two, without a pause on this machine", job.Seeds, job.Config.Site, err)
	}
}

func TestSubscriptionsAreLookedAtWhenDue(t *testing.T) {
	museum, home := program.StartMuseum(t, 12), filepath.Join(t.TempDir(), "data")
	at := []string{"--data", home}
	program.MustRun(t, append([]string{"subscribe", "--museum", museum.Addr, "--name", "m", "--every", "1h"}, at...)...)
	type list struct {
		Subscriptions []collection.SubscriptionEntry
	}
	if got := program.JSONRun[list](t, append([]string{"subscribe", "list"}, at...)...); len(got.Subscriptions) != 1 || !got.Subscriptions[0].Last.IsZero() {
		t.Errorf("the list is %+v", got)
	}
	type looks struct{ Looks []collection.SubscriptionLook }
	if got := program.JSONRun[looks](t, append([]string{"subscribe", "run"}, at...)...); len(got.Looks) != 1 || got.Looks[0].Kept != 12 {
		t.Errorf("the first look: %+v, want 12 pictures", got)
	}
	if got := program.JSONRun[looks](t, append([]string{"subscribe", "run"}, at...)...); len(got.Looks) != 0 {
		t.Errorf("looked at %+v, though nothing is due", got)
	}
	got := program.JSONRun[list](t, append([]string{"subscribe", "list"}, at...)...).Subscriptions[0]
	if got.Brought != 12 || got.Failure != "" || time.Until(got.Next) < 50*time.Minute {
		t.Errorf("after the look: %+v", got)
	}
	program.MustRun(t, append([]string{"subscribe", "pause", "m"}, at...)...)
	if report := program.JSONRun[crawler.Report](t, append([]string{"subscribe", "check", "m"}, at...)...); report.Known != 12 || report.Kept != 0 {
		t.Errorf("checked: %+v, want 12 known", report)
	}
	program.MustRun(t, append([]string{"subscribe", "resume", "m"}, at...)...)
	program.MustRun(t, append([]string{"subscribe", "remove", "m"}, at...)...)
	if r := program.RunPalate(t, append([]string{"subscribe", "check", "m"}, at...)...); r.Code == exitDone {
		t.Error("a removed subscription is looked at")
	}
}

func TestLooksThatBringNothingBecomeRare(t *testing.T) {
	now := time.Now()
	for quiet, want := range map[int]time.Duration{0: 24 * time.Hour, 2: 24 * time.Hour, 3: 48 * time.Hour, 4: 96 * time.Hour, 99: 192 * time.Hour} {
		if got := collection.NextLook(catalog.Subscription{Every: 24 * time.Hour, Quiet: quiet}, now).Sub(now); got != want {
			t.Errorf("after %d looks without anything: %v, want %v", quiet, got, want)
		}
	}
}

func TestSettingsOfACrawlHoldNoHeader(t *testing.T) {
	c := beginCrawl{Seeds: []string{"http://127.0.0.1:9/"}, crawlFlags: crawlFlags{Contact: "me@example.org", MaxDepth: -1, Retries: -1, Header: []string{"X-Token: secret"}}}
	job, err := c.plan()
	if err != nil || strings.Contains(job.Settings, "secret") || !json.Valid([]byte(job.Settings)) {
		t.Errorf("the settings are %s (%v)", job.Settings, err)
	}
}
