package crawler

import (
	"context"
	"net/url"
	"strings"

	"github.com/palate-art/palate"
)

// Sitemaps and their indexes, with the image extension, packed or not.
// https://www.sitemaps.org/protocol.html
// https://developers.google.com/search/docs/crawling-indexing/sitemaps/image-sitemaps

func looksLikeSitemap(d document) bool {
	name := rootName(d)
	return name == "urlset" || name == "sitemapindex"
}

// readSitemap takes the pictures that a sitemap names, and follows the pages
// for which it names none.
func readSitemap(ctx context.Context, r *run, task Task, d document) (reading, error) {
	root, err := parseXML(d.body)
	if err != nil {
		return reading{}, err
	}
	var out reading
	for n, entry := range append(root.all("sitemap"), root.all("url")...) {
		if n%1024 == 0 && ctx.Err() != nil {
			return reading{}, context.Cause(ctx)
		}
		location, ok := resolve(d.at, entry.value("loc"))
		if !ok {
			continue
		}
		address, ok := canonical(location)
		if !ok {
			continue
		}
		if pictures := sitemapPictures(task, d.at, entry, address); len(pictures) > 0 {
			out.found = append(out.found, pictures...)
			continue
		}
		out.found = append(out.found, r.listedPage(task, d.at, location, entry.name == "sitemap")...)
	}
	if len(out.found) == 0 {
		out.lost = lose("no_picture", "the sitemap names no address")
	}
	return out, nil
}

func sitemapPictures(task Task, at *url.URL, entry *element, page string) []Task {
	var out []Task
	for _, image := range entry.all("image") {
		u, ok := resolve(at, firstOf(image.value("loc"), strings.TrimSpace(image.text)))
		if !ok {
			continue
		}
		address, ok := canonical(u)
		if !ok || len(address) > maxPictureAddress {
			continue
		}
		source := palate.Source{
			Page: page, Site: hostOf(page), Title: stripHTML(image.value("title", "caption")),
		}
		if licence := image.value("license"); strings.HasPrefix(licence, "http") {
			source.LicenceURL = licence
		} else {
			source.Licence = stripHTML(licence)
		}
		out = append(out, Task{Kind: Image, URL: address, Referer: page, Depth: task.Depth, Source: source})
	}
	return out
}

// listedPage is the task of an address that a list of addresses names: a page
// of the list's own site, a picture, or a further list.
func (r *run) listedPage(task Task, at, u *url.URL, list bool) []Task {
	address, ok := canonical(u)
	if !ok {
		return nil
	}
	if looksLikePicture(u) {
		return []Task{{Kind: Image, URL: address, Referer: task.URL, Depth: task.Depth}}
	}
	t := Task{Kind: Page, URL: address, Referer: task.URL, Depth: task.Depth + 1}
	if list {
		t.Depth = task.Depth
	}
	switch {
	case !r.sameSite(at.Hostname(), u.Hostname()):
		return []Task{refusedPage("off_site", address)}
	case t.Depth > r.cfg.MaxDepth:
		return []Task{refusedPage("too_deep", address)}
	case !list && looksLikeOtherFile(u):
		return nil
	}
	r.trail.offer(address)
	return []Task{t}
}
