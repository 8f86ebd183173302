package museum

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ThumbWidths are the only widths that thumbnails of the upload host have.
// The API rounds iiurlwidth up to one of them; any other width in an
// address of a thumbnail is answered with 400.
var ThumbWidths = []int{20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840}

// describe gives the pages with as much imageinfo as one answer may have,
// from iicontinue on, and the next iicontinue; empty when all is told.
func (m *Museum) describe(ctx context.Context, q url.Values, members []member) (pages []object, rest string) {
	wantsInfo := slices.Contains(strings.Split(q.Get("prop"), "|"), "imageinfo")
	from := 0
	if at := q.Get("iicontinue"); at != "" {
		name, _, _ := strings.Cut(at, "|")
		from = max(slices.IndexFunc(members, func(e member) bool {
			return strings.ReplaceAll(e.title, " ", "_") == "File:"+name
		}), 0)
	}
	var told []member
	for k, e := range members {
		p := object{"pageid": e.pageID, "ns": namespace(e), "title": e.title}
		pages = append(pages, p)
		if !wantsInfo || !e.file || k < from {
			continue
		}
		if len(told) == imageInfosPerAnswer {
			if rest == "" {
				rest = strings.ReplaceAll(strings.TrimPrefix(e.title, "File:"), " ", "_") + "|20120101000000"
			}
			continue
		}
		told = append(told, e)
	}
	m.drawFor(ctx, q, told)
	for _, e := range told {
		at := slices.IndexFunc(pages, func(p object) bool { return p["pageid"] == e.pageID })
		m.inform(pages[at], q, e)
	}
	return pages, rest
}

// drawFor draws what an answer needs at once, if it tells sizes or hashes of
// files. What fails is left out of the answer.
func (m *Museum) drawFor(ctx context.Context, q url.Values, told []member) {
	wants := strings.Split(q.Get("iiprop"), "|")
	if !slices.Contains(wants, "size") && !slices.Contains(wants, "sha1") {
		return
	}
	var indices []int
	for _, e := range told {
		if e.work >= 0 {
			indices = append(indices, e.work)
		}
	}
	_ = m.drawAhead(ctx, indices)
}

// inform adds a file's imageinfo to its page.
func (m *Museum) inform(p object, q url.Values, e member) {
	p["imagerepository"] = "local"
	if e.work < 0 {
		switch extras[e.pageID-extraPageBase].kind {
		case "no imageinfo":
			p["imagerepository"] = ""
		case "filemissing":
			p["imageinfo"] = []object{{"filemissing": true}}
		default:
			p["imageinfo"] = []object{{
				"url": "http://" + UploadHost + "/originals/" + audioPath(), "mime": "application/ogg", "mediatype": "AUDIO",
				"size": len(audioGuide), "width": 0, "height": 0,
				"descriptionurl": "http://" + CommonsHost + "/wiki/" + wikiEscape(e.title),
			}}
		}
		return
	}
	p["imageinfo"] = []object{m.imageInfo(m.works[e.work], q)}
}

func (m *Museum) imageInfo(w Work, q url.Values) object {
	wants := strings.Split(q.Get("iiprop"), "|")
	if q.Get("iiprop") == "" {
		wants = []string{"timestamp", "user"}
	}
	info := object{}
	for _, want := range wants {
		switch want {
		case "timestamp":
			info["timestamp"] = "2012-01-01T00:00:00Z"
		case "user":
			info["user"] = "Registrar"
		case "url":
			info["url"], info["descriptionurl"] = w.CommonsImageURL, w.CommonsPageURL
			info["descriptionshorturl"] = fmt.Sprintf("http://%s/w/index.php?curid=%d", CommonsHost, w.CommonsPageID)
		case "size":
			info["width"], info["height"] = w.Width, w.Height
			if data, err := m.File(w.Index); err == nil {
				info["size"] = len(data)
			}
		case "mime":
			info["mime"] = w.ContentType
		case "mediatype":
			info["mediatype"] = "BITMAP"
		case "sha1":
			if sum, err := m.sha1(w.Index); err == nil {
				info["sha1"] = sum
			}
		case "extmetadata":
			info["extmetadata"] = extMetadata(w)
		}
	}
	if width, err := strconv.Atoi(q.Get("iiurlwidth")); err == nil && width > 0 && slices.Contains(wants, "url") {
		info["thumburl"], info["thumbwidth"], info["thumbheight"] = thumbOf(w, width)
	}
	return info
}

// thumbOf is the thumbnail at the next allowed width; the original where
// that is no smaller.
func thumbOf(w Work, width int) (address string, thumbWidth, height int) {
	for _, allowed := range ThumbWidths {
		if allowed >= width && allowed < w.Width {
			return thumbURL(w, allowed), allowed, thumbHeight(w.Width, w.Height, allowed)
		}
	}
	return w.CommonsImageURL, w.Width, w.Height
}

func thumbURL(w Work, width int) string {
	name := wikiEscape(w.FileName)
	return fmt.Sprintf("http://%s/originals/thumb/%s%s/%dpx-%s", UploadHost, hashFolders(w.FileName), name, width, name)
}

// extMetadata is the record as Commons gives it: values are HTML.
func extMetadata(w Work) object {
	value := func(v string) object { return object{"value": v, "source": "commons-desc-page", "hidden": ""} }
	creator := "http://" + CommonsHost + "/wiki/" + wikiEscape("Creator:"+w.Artist)
	return object{
		"ObjectName":       value(html.EscapeString(w.Title)),
		"Artist":           value(fmt.Sprintf(`<bdi><a href="%s" class="extiw" title="Creator:%s">%s</a></bdi>`, creator, html.EscapeString(w.Artist), html.EscapeString(w.Artist))),
		"DateTimeOriginal": value(fmt.Sprintf(`<time class="dtstart" datetime="%d">%d</time>`, w.Year, w.Year)),
		"ImageDescription": value(fmt.Sprintf("<p><i>%s</i>, %s. Accession number %s.</p>", html.EscapeString(w.Title), w.Medium, w.ExternalID)),
		"Credit":           value(fmt.Sprintf(`<a rel="nofollow" class="external text" href="%s">Palate Museum, %s</a>`, w.PageURL, w.ExternalID)),
		"LicenseShortName": value(w.Licence),
		"LicenseUrl":       value(w.LicenceURL),
		"UsageTerms":       value(html.EscapeString(w.Licence)),
		"Categories":       value(strings.Join(w.Categories, "|")),
	}
}
