package crawler_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

func TestCrawlWithoutContactIsRefused(t *testing.T) {
	c := newCollection()
	_, err := crawler.New(crawler.DefaultConfig(), c, c, crawler.Options{})
	if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "contact") {
		t.Errorf("error is %v, want one about the contact", err)
	}
	cfg := crawler.DefaultConfig()
	cfg.AllowNoContact = true
	if _, err := crawler.New(cfg, c, c, crawler.Options{}); err != nil {
		t.Errorf("a crawl that may lack a contact: %v", err)
	}
}

func TestContactIsAnAddress(t *testing.T) {
	for contact, want := range map[string]bool{
		"me@example.org": true, "https://example.org/bot": true, "https://example.org/bot; me@example.org": true,
		"me": false, "https://": false, "me@example.org (x)": false, "a@b\r\nX: y": false, "me somewhere": false,
	} {
		cfg := crawler.DefaultConfig()
		cfg.Contact = contact
		if got := cfg.Validate() == nil; got != want {
			t.Errorf("contact %q passes: %v, want %v", contact, got, want)
		}
	}
}

func TestValidateReportsAllProblemsAtOnce(t *testing.T) {
	cfg := crawler.DefaultConfig()
	cfg.Agent, cfg.MaxPages, cfg.Workers, cfg.Timeout, cfg.Retries, cfg.Site.Parallelism = "a b", 0, 0, 0, -1, 0
	err := cfg.Validate()
	if !errors.Is(err, palate.ErrInvalid) {
		t.Fatalf("error is %v", err)
	}
	for _, want := range []string{"contact", "agent", "MaxPages", "Workers", "Timeout", "Retries", "Site"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not speak of %s", err, want)
		}
	}
}

func TestSeedsAreReadAsPeopleWriteThem(t *testing.T) {
	const api = "https://commons.wikimedia.org/w/api.php"
	for text, want := range map[string]crawler.Seed{
		"commons:Category:Paintings by X": {URL: api, Source: crawler.MediaWiki, Title: "Category:Paintings by X", Page: "https://commons.wikimedia.org/wiki/Category:Paintings_by_X"},
		"category:X_y":                    {URL: api, Source: crawler.MediaWiki, Title: "Category:X y", Page: "https://commons.wikimedia.org/wiki/Category:X_y"},
		"https://commons.wikimedia.org/wiki/Category:X_%28y%29": {
			URL: api, Source: crawler.MediaWiki, Title: "Category:X (y)", Page: "https://commons.wikimedia.org/wiki/Category:X_%28y%29",
		},
		"https://commons.wikimedia.org/wiki/File:A.jpg": {URL: api, Source: crawler.MediaWiki, Title: "File:A.jpg", Page: "https://commons.wikimedia.org/wiki/File:A.jpg"},
		"https://w.example/w/index.php?title=Category:X&filefrom=b": {
			URL: "https://w.example/w/api.php", Source: crawler.MediaWiki, Title: "Category:X", Page: "https://w.example/w/index.php?title=Category:X&filefrom=b",
		},
		"https://films.example/de/wiki/Kategorie:Bilder": {
			URL: "https://films.example/de/api.php", Source: crawler.MediaWiki, Title: "Kategorie:Bilder", Page: "https://films.example/de/wiki/Kategorie:Bilder",
		},
		"https://w.example/wiki/index.php/Category:A": {
			URL: "https://w.example/wiki/api.php", Source: crawler.MediaWiki, Title: "Category:A", Page: "https://w.example/wiki/index.php/Category:A",
		},
		"https://w.example/Category:A":                                    {URL: "https://w.example/api.php", Source: crawler.MediaWiki, Title: "Category:A", Page: "https://w.example/Category:A"},
		"https://w.example/wiki/Anna":                                     {URL: "https://w.example/wiki/Anna", Source: crawler.HTML},
		"http://w.example/api.php?action=query&gcmtitle=Category%3AX":     {URL: "http://w.example/api.php", Source: crawler.MediaWiki, Title: "Category:X"},
		"html:https://commons.wikimedia.org/wiki/Category:X":              {URL: "https://commons.wikimedia.org/wiki/Category:X", Source: crawler.HTML},
		" https://Museum.Example:443/a b?utm_source=x&page=2&PHPSESSID#f": {URL: "https://museum.example/a%20b?utm_source=x&page=2&PHPSESSID", Source: crawler.HTML},
		"https://münchen.example/":                                        {URL: "https://xn--mnchen-3ya.example/", Source: crawler.HTML},
	} {
		if got, err := crawler.ParseSeed(text); err != nil || got != want {
			t.Errorf("%q is %+v (%v), want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "museum.example", "ftp://museum.example/", "https://w.example/w/api.php", "/etc/passwd", "https://", "commons:X", "http://[::1"} {
		if got, err := crawler.ParseSeed(text); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%q is %+v (%v), want an error", text, got, err)
		}
	}
}

func TestCrawlNeedsASeed(t *testing.T) {
	c := newCollection()
	cr, err := crawler.New(quick(), c, c, crawler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, seeds := range [][]crawler.Seed{nil, {{URL: "x"}}, {{URL: "https://a.example/", Source: "json"}}} {
		if _, err := cr.Run(t.Context(), "test", seeds); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("seeds %v: error is %v, want ErrInvalid", seeds, err)
		}
	}
}
