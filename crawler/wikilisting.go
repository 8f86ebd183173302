package crawler

import (
	"net/url"
	"strings"
)

// What a wiki lists beside its categories: the files that a search finds, and
// those that a user has uploaded. Their seeds' titles are "Search:…" and
// "User:…".
// https://www.mediawiki.org/wiki/API:Search https://www.mediawiki.org/wiki/API:Allimages
const (
	wikiSearch = "Search:"
	wikiUser   = "User:"
)

// wikiListing completes the request for such a title; ok is false for others.
func wikiListing(query url.Values, title string) (ok bool) {
	if words, found := strings.CutPrefix(title, wikiSearch); found {
		query.Set("generator", "search")
		query.Set("gsrsearch", words)
		query.Set("gsrnamespace", "6") // files
		query.Set("gsrlimit", "50")
		return true
	}
	if user, found := strings.CutPrefix(title, wikiUser); found {
		query.Set("generator", "allimages")
		query.Set("gaisort", "timestamp")
		query.Set("gaidir", "older")
		query.Set("gaiuser", user)
		query.Set("gailimit", "50")
		return true
	}
	return false
}

// listingTitle is the title of a seed for a wiki's own page of a search or of
// a user's files; other titles stay as they are.
func listingTitle(title string, u *url.URL) string {
	name, rest, _ := strings.Cut(title, ":")
	page, of, _ := strings.Cut(rest, "/")
	if !strings.EqualFold(name, "Special") {
		return title
	}
	switch query := u.Query(); strings.ToLower(strings.ReplaceAll(page, "_", "")) {
	case "search", "mediasearch":
		if query.Get("search") != "" {
			return wikiSearch + query.Get("search")
		}
		return wikiSearch + of
	case "listfiles", "uploads", "contributions":
		return wikiUser + firstOf(of, query.Get("user"), query.Get("target"))
	}
	return title
}

// commonsListing reads "search:WORDS" and "user:NAME".
func commonsListing(title string) (string, bool) {
	for _, prefix := range []string{wikiSearch, wikiUser} {
		if len(title) > len(prefix) && strings.EqualFold(title[:len(prefix)], prefix) {
			return prefix + strings.TrimSpace(title[len(prefix):]), true
		}
	}
	return "", false
}
