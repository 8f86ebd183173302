package crawler

import (
	"net/url"

	"strings"
)

// Museums whose collections are public without a key. The requests and the
// answers are those of their published documentation and of answers saved in
// public repositories; the sites could not be reached when this was written.
//
//   - The Met: https://metmuseum.github.io/
//   - Art Institute of Chicago: https://api.artic.edu/docs/
//   - Cleveland Museum of Art: https://openaccess-api.clevelandart.org/
//   - Rijksmuseum: https://data.rijksmuseum.nl/docs/
var museumSites = []siteRule{
	{hosts: []string{"metmuseum.org"}, begin: metSeed},
	{hosts: []string{"artic.edu"}, begin: chicagoSeed},
	{hosts: []string{"clevelandart.org"}, begin: clevelandSeed},
	{hosts: []string{"rijksmuseum.nl"}, begin: rijksSeed},
	{hosts: []string{"wikiart.org"}, begin: wikiArtSeed},
}

const metAPI = "https://collectionapi.metmuseum.org/public/collection/v1/"

func metSeed(u *url.URL) ([]string, error) {
	path := segments(u)
	switch {
	case u.Hostname() == "collectionapi.metmuseum.org":
		return nil, nil
	case len(path) >= 4 && path[1] == "collection" && path[2] == "search" && atoi(path[3]) > 0:
		return []string{metAPI + "objects/" + path[3]}, nil
	case len(path) >= 3 && path[1] == "collection" && path[2] == "search" && u.Query().Get("q") != "":
		return []string{metAPI + "search?hasImages=true&q=" + url.QueryEscape(u.Query().Get("q"))}, nil
	}
	return nil, nil
}

const chicagoFields = "id,title,artist_title,artist_display,date_display,medium_display,credit_line,copyright_notice,is_public_domain,image_id,alt_image_ids,main_reference_number,category_titles"

func chicagoSeed(u *url.URL) ([]string, error) {
	path := segments(u)
	const api = "https://api.artic.edu/api/v1/artworks"
	switch {
	case u.Hostname() == "api.artic.edu" && !strings.Contains(u.RawQuery, "fields=") && len(path) >= 3 && path[2] == "artworks":
		query := u.Query()
		query.Set("fields", chicagoFields)
		return []string{"https://api.artic.edu" + u.EscapedPath() + "?" + query.Encode()}, nil
	case u.Hostname() == "api.artic.edu" || strings.HasPrefix(u.Path, "/iiif/"):
		return nil, nil
	case len(path) >= 2 && path[0] == "artworks" && atoi(path[1]) > 0:
		return []string{api + "/" + path[1] + "?fields=" + chicagoFields}, nil
	case len(path) >= 1 && path[0] == "collection" && u.Query().Get("q") != "":
		return []string{api + "/search?limit=100&fields=" + chicagoFields + "&q=" + url.QueryEscape(u.Query().Get("q"))}, nil
	}
	return nil, nil
}

func clevelandSeed(u *url.URL) ([]string, error) {
	path := segments(u)
	const api = "https://openaccess-api.clevelandart.org/api/artworks/"
	switch {
	case strings.HasPrefix(u.Hostname(), "openaccess"):
		return nil, nil
	case len(path) >= 3 && path[1] == "collection" && path[2] == "search" || len(path) >= 2 && path[1] == "collection" && u.Query().Get("search") != "":
		return []string{api + "?has_image=1&limit=100&skip=0&q=" + url.QueryEscape(firstOf(u.Query().Get("search"), u.Query().Get("q")))}, nil
	case len(path) == 2 && path[0] == "art" && strings.ContainsAny(path[1], "0123456789"):
		return []string{api + url.PathEscape(path[1])}, nil
	}
	return nil, nil
}

func rijksSeed(u *url.URL) ([]string, error) {
	path := segments(u)
	const api = "https://data.rijksmuseum.nl/search/collection?imageAvailable=true&"
	switch {
	case u.Hostname() == "data.rijksmuseum.nl" || u.Hostname() == "id.rijksmuseum.nl":
		return nil, nil
	case u.Query().Get("query") != "" || u.Query().Get("q") != "":
		return []string{api + "title=" + url.QueryEscape(firstOf(u.Query().Get("query"), u.Query().Get("q")))}, nil
	}
	for _, segment := range path {
		if strings.HasPrefix(segment, "SK-") || strings.HasPrefix(segment, "RP-") || strings.HasPrefix(segment, "BK-") || strings.HasPrefix(segment, "AK-") || strings.HasPrefix(segment, "NG-") {
			return []string{api + "objectNumber=" + url.QueryEscape(segment)}, nil
		}
	}
	return nil, nil
}

// wikiArtSeed reads an artist's, a style's or a genre's list as the site's own
// pages load it.
func wikiArtSeed(u *url.URL) ([]string, error) {
	path := segments(u)
	if u.Query().Has("json") || len(path) < 2 {
		return nil, nil
	}
	list := *u
	switch {
	case strings.HasPrefix(path[1], "paintings-by-"), strings.HasPrefix(path[1], "artists-by-"):
	case len(path) == 2:
		list.Path = "/" + path[0] + "/" + path[1] + "/all-works"
	case len(path) >= 3 && path[2] == "all-works":
		list.Path = "/" + path[0] + "/" + path[1] + "/all-works"
	default:
		return nil, nil // one work's page
	}
	query := url.Values{"json": {"2"}, "layout": {"new"}, "page": {"1"}, "resultType": {"masonry"}}
	if choice := u.Query().Get("select"); choice != "" {
		query.Set("select", choice)
	}
	list.RawQuery, list.Fragment = query.Encode(), ""
	return []string{list.String()}, nil
}
