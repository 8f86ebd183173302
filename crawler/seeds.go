package crawler

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/palate-art/palate"
)

// SourceKind says how a seed is crawled.
type SourceKind string

// The kinds of source.
const (
	HTML      SourceKind = "html"      // pages with links
	MediaWiki SourceKind = "mediawiki" // a category or file by MediaWiki's API
)

// Seed is where a crawl begins.
type Seed struct {
	URL    string     // of a page or picture; for MediaWiki of its api.php
	Source SourceKind // HTML where empty
	Title  string     // of MediaWiki: "Category:…" or "File:…", or as the wiki's own language has it
	Page   string     // of MediaWiki: the title's page, if known; it is read where no API answers
	// Known is what is known of the picture at URL, such as from a list; nil
	// is nothing.
	Known *palate.Source
}

// ParseSeed reads what a person writes:
//
//   - "commons:Category:X" and "Category:X": that category of Wikimedia Commons;
//   - "https://host/wiki/Category:X", "…/wiki/File:X", "…/wiki/Kategorie:X", "…/index.php/Category:X",
//     "…/w/index.php?title=Category:X" and "…/w/api.php?title=Category:X" (gcmtitle, cmtitle and titles too):
//     the same of any MediaWiki, by its API, or by its pages where it has none;
//   - "commons:search:WORDS" and "commons:user:NAME", "…/wiki/Special:Search?search=WORDS" and
//     "…/wiki/Special:ListFiles/NAME": the files that a search finds, or that a user has uploaded;
//   - "html:" before an address, or any other address: an HTML gallery, or one picture.
//
// Its error is palate.ErrInvalid.
func ParseSeed(s string) (Seed, error) {
	text := strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(text, "html:"); ok {
		return plainSeed(strings.TrimSpace(rest))
	}
	title := strings.TrimPrefix(text, "commons:")
	if listing, ok := commonsListing(title); ok && title != text {
		return MediaWikiSeed("https://commons.wikimedia.org/w/api.php", listing)
	}
	if hasWikiTitle(title) {
		seed, err := MediaWikiSeed("https://commons.wikimedia.org/w/api.php", title)
		name := (&url.URL{Path: strings.ReplaceAll(seed.Title, " ", "_")}).EscapedPath()
		seed.Page = "https://commons.wikimedia.org/wiki/" + strings.TrimPrefix(name, "./")
		return seed, err
	}
	u, err := url.Parse(text)
	if err != nil {
		return Seed{}, fmt.Errorf("crawler: seed %q: %w: %w", s, palate.ErrInvalid, err)
	}
	if isAPIPath(u) {
		query := u.Query()
		for _, name := range []string{"gcmtitle", "cmtitle", "titles", "title"} {
			if query.Get(name) != "" {
				return MediaWikiSeed(text, query.Get(name))
			}
		}
		return Seed{}, fmt.Errorf("crawler: seed %q names no category: add ?title=Category:…: %w", s, palate.ErrInvalid)
	}
	if api, title, ok := wikiAddress(u); ok {
		listing := listingTitle(title, u)
		seed, err := MediaWikiSeed(u.Scheme+"://"+u.Host+api, listing)
		if err == nil && listing == title {
			seed.Page, _ = canonical(u)
		}
		return seed, err
	}
	return plainSeed(text)
}

// wikiAddress reads the address of a wiki's page: where its API usually is,
// and the page's title with its namespace. A namespace in another language is
// known by its place after /wiki/ or /index.php/ alone.
func wikiAddress(u *url.URL) (api, title string, ok bool) {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", "", false
	}
	if folder, title, found := strings.Cut(u.Path, "/wiki/"); found && (hasWikiTitle(title) || namespaced.MatchString(title)) {
		if folder == "" {
			folder = "/w"
		}
		return folder + "/api.php", title, true
	}
	if folder, title, found := strings.Cut(u.Path, "/index.php/"); found && (hasWikiTitle(title) || namespaced.MatchString(title)) {
		return folder + "/api.php", title, true
	}
	if folder, found := strings.CutSuffix(u.Path, "/index.php"); found && namespaced.MatchString(u.Query().Get("title")) {
		return folder + "/api.php", u.Query().Get("title"), true
	}
	cut := max(strings.Index(u.Path, "/Category:"), strings.Index(u.Path, "/File:"))
	if cut < 0 || !hasWikiTitle(u.Path[cut+1:]) {
		return "", "", false
	}
	return u.Path[:cut] + "/api.php", u.Path[cut+1:], true
}

func hasWikiTitle(s string) bool {
	name, rest, ok := strings.Cut(s, ":")
	return ok && rest != "" && (strings.EqualFold(name, "Category") || strings.EqualFold(name, "File"))
}

func plainSeed(address string) (Seed, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Seed{}, fmt.Errorf("crawler: seed %q: %w: %w", address, palate.ErrInvalid, err)
	}
	if u.Scheme == "" && !strings.HasPrefix(address, "/") {
		return Seed{}, fmt.Errorf("crawler: seed %q has no scheme: write https://%s: %w", address, address, palate.ErrInvalid)
	}
	clean, ok := canonical(u)
	if !ok {
		return Seed{}, fmt.Errorf("crawler: seed %q is no http or https address: %w", address, palate.ErrInvalid)
	}
	return Seed{URL: clean, Source: HTML}, nil
}

// MediaWikiSeed crawls a category ("Category:…") with its subcategories, or
// one file ("File:…"), by the MediaWiki API at that address. The namespace may
// be in the wiki's own language ("Kategorie:…"). Its error is
// palate.ErrInvalid.
func MediaWikiSeed(apiURL, title string) (Seed, error) {
	u, err := url.Parse(apiURL)
	if err != nil {
		return Seed{}, fmt.Errorf("crawler: API address %q: %w: %w", apiURL, palate.ErrInvalid, err)
	}
	u.RawQuery = ""
	clean, ok := canonical(u)
	title = strings.ReplaceAll(strings.TrimSpace(title), "_", " ")
	name, rest, _ := strings.Cut(title, ":")
	if !ok || !namespaced.MatchString(title) || strings.TrimSpace(rest) == "" {
		return Seed{}, fmt.Errorf("crawler: %q at %q: want Category:… or File:… at an http or https address: %w", title, apiURL, palate.ErrInvalid)
	}
	if hasWikiTitle(title) {
		name = strings.ToUpper(name[:1]) + strings.ToLower(name[1:])
	}
	return Seed{URL: clean, Source: MediaWiki, Title: name + ":" + strings.TrimSpace(rest)}, nil
}

// tasks gives the first tasks of a crawl. Its error is palate.ErrInvalid and
// names every seed that can't be used.
func tasks(cfg Config, seeds []Seed) ([]Task, error) {
	var out []Task
	var problems []error
	for _, s := range seeds {
		switch s.Source {
		case MediaWiki:
			seed, err := MediaWikiSeed(s.URL, s.Title)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			out = append(out, wikiTasks(cfg, seed.URL, seed.Title, s.Page, 0)...)
		case HTML, "":
			seed, err := plainSeed(s.URL)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			if own, err := siteSeeds(seed.URL); err != nil || len(own) > 0 {
				if err != nil {
					problems = append(problems, err)
				}
				out = append(out, own...)
				continue
			}
			kind := Page
			if u, err := url.Parse(seed.URL); err == nil && looksLikePicture(u) {
				kind = Image
			}
			t := Task{Kind: kind, URL: seed.URL}
			if s.Known != nil {
				t.Source = *s.Known
			}
			out = append(out, t)
		default:
			problems = append(problems, fmt.Errorf("crawler: seed %s: unknown source %q: %w", s.URL, s.Source, palate.ErrInvalid))
		}
	}
	if len(seeds) == 0 {
		problems = append(problems, fmt.Errorf("crawler: no seed to begin with: %w", palate.ErrInvalid))
	}
	return out, errors.Join(problems...)
}
