package crawler

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// Photo sites by their public feeds and oEmbed, which need no key. The
// addresses are those of the sites' published documentation; they could not
// be reached when this was written.
//
//   - Flickr: https://www.flickr.com/services/feeds/ and https://www.flickr.com/services/oembed/
//   - DeviantArt: https://www.deviantart.com/developers/rss and https://www.deviantart.com/developers/oembed
//   - Tumblr: every blog's /rss
//   - ArtStation: every portfolio's feed, https://www.artstation.com/NAME.rss
var photoSites = []siteRule{
	{hosts: []string{"flickr.com"}, begin: flickr},
	{hosts: []string{"deviantart.com"}, begin: deviantArt},
	{hosts: []string{"tumblr.com"}, begin: tumblr},
	{hosts: []string{"artstation.com"}, begin: artStation},
}

var flickrID = regexp.MustCompile(`^\d+@N\d+$`)

func flickr(u *url.URL) ([]string, error) {
	path := segments(u)
	switch {
	case strings.HasPrefix(u.Path, "/services/"):
		return nil, nil
	case len(path) >= 3 && path[0] == "photos" && strings.Trim(path[2], "0123456789") == "":
		return []string{oEmbed("https://www.flickr.com/services/oembed/", u)}, nil
	case len(path) >= 2 && (path[0] == "photos" || path[0] == "people") && flickrID.MatchString(path[1]):
		return []string{"https://www.flickr.com/services/feeds/photos_public.gne?format=rss_200&id=" + url.QueryEscape(path[1])}, nil
	case len(path) >= 3 && path[0] == "photos" && path[1] == "tags":
		return []string{"https://www.flickr.com/services/feeds/photos_public.gne?format=rss_200&tags=" + url.QueryEscape(path[2])}, nil
	case len(path) >= 2 && path[0] == "groups" && flickrID.MatchString(path[1]):
		return []string{"https://www.flickr.com/services/feeds/groups_pool.gne?format=rss_200&id=" + url.QueryEscape(path[1])}, nil
	}
	return nil, errors.New("feeds of Flickr are by a member's number: give https://www.flickr.com/photos/12345678@N00/, one photo's page, or the feed's own address; all else needs a key, which palate does not use")
}

func deviantArt(u *url.URL) ([]string, error) {
	path := segments(u)
	const feed = "https://backend.deviantart.com/rss.xml?type=deviation&q="
	switch {
	case u.Hostname() == "backend.deviantart.com":
		return nil, nil
	case len(path) >= 2 && path[1] == "art" || len(path) >= 1 && path[0] == "art":
		return []string{oEmbed("https://backend.deviantart.com/oembed", u)}, nil
	case len(path) >= 2 && path[0] == "tag":
		return []string{feed + url.QueryEscape("tag:"+path[1])}, nil
	case len(path) == 1 && path[0] == "search" && u.Query().Get("q") != "":
		return []string{feed + url.QueryEscape(u.Query().Get("q"))}, nil
	case len(path) >= 2 && path[1] == "favourites":
		return []string{feed + url.QueryEscape("favby:"+path[0])}, nil
	case len(path) >= 1:
		return []string{feed + url.QueryEscape("gallery:"+path[0])}, nil
	}
	return nil, errors.New("name a gallery: https://www.deviantart.com/NAME/gallery")
}

func tumblr(u *url.URL) ([]string, error) {
	host, path := strings.ToLower(u.Hostname()), segments(u)
	switch {
	case strings.HasSuffix(u.Path, "/rss"):
		return nil, nil
	case host == "www.tumblr.com" || host == "tumblr.com":
		for i, name := range path {
			if (i > 0 && path[i-1] == "view") || i == 0 && name != "blog" && name != "tagged" && name != "search" && name != "dashboard" && name != "explore" {
				return []string{"https://" + strings.ToLower(name) + ".tumblr.com/rss"}, nil
			}
		}
		return nil, errors.New("name a blog: https://NAME.tumblr.com/; tags and searches need an account")
	case len(path) >= 2 && path[0] == "tagged":
		return []string{"https://" + host + "/tagged/" + url.PathEscape(path[1]) + "/rss"}, nil
	case len(path) >= 1 && path[0] == "post":
		return nil, nil
	}
	return []string{"https://" + host + "/rss"}, nil
}

func artStation(u *url.URL) ([]string, error) {
	host, path := strings.ToLower(u.Hostname()), segments(u)
	name, own := strings.CutSuffix(host, ".artstation.com")
	switch {
	case strings.HasSuffix(u.Path, ".rss") || strings.HasSuffix(u.Path, ".json"):
		return nil, nil
	case own && name != "www" && name != "magazine" && name != "cdn":
		return []string{"https://www.artstation.com/" + name + ".rss"}, nil
	case len(path) >= 2 && (path[0] == "artwork" || path[0] == "projects"):
		return []string{"https://www.artstation.com/projects/" + url.PathEscape(path[1]) + ".json"}, nil
	case len(path) >= 1 && path[0] != "search" && path[0] != "channels" && path[0] != "marketplace" && path[0] != "learning":
		return []string{"https://www.artstation.com/" + url.PathEscape(path[0]) + ".rss"}, nil
	}
	return nil, errors.New("name a portfolio: https://www.artstation.com/NAME; searches need an account")
}

// oEmbed is the request for a page's picture. https://oembed.com/
func oEmbed(endpoint string, u *url.URL) string {
	return endpoint + "?" + url.Values{"format": {"json"}, "url": {u.String()}}.Encode()
}
