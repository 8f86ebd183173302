package crawler

import (
	"net/url"
	"slices"
	"strings"

	"github.com/palate-art/palate"
)

// wikiPage is a file's page in an answer.
type wikiPage struct {
	Title     string     `json:"title"`
	Missing   bool       `json:"missing"`
	Invalid   bool       `json:"invalid"`
	ImageInfo []wikiInfo `json:"imageinfo"`
	// Repository is nil where the answer says nothing yet of the file (a
	// later one of the same batch will) and empty where there is no file.
	Repository *string `json:"imagerepository"`
}

type wikiInfo struct {
	URL            string              `json:"url"`
	ThumbURL       string              `json:"thumburl"`
	DescriptionURL string              `json:"descriptionurl"`
	Width          int                 `json:"width"`
	Height         int                 `json:"height"`
	Size           int64               `json:"size"`
	Mime           string              `json:"mime"`
	MediaType      string              `json:"mediatype"`
	FileMissing    bool                `json:"filemissing"`
	FileHidden     bool                `json:"filehidden"`
	Meta           map[string]wikiText `json:"extmetadata"`
}

// wikiText is one value of extmetadata: HTML, or a number.
type wikiText struct {
	Value any `json:"value"`
}

// readableTypes are the media types that are fetched as they are.
var readableTypes = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true, "image/bmp": true, "image/x-ms-bmp": true, "image/tiff": true,
	"image/avif": true, "image/heic": true, "image/heif": true,
}

// wikiCandidate makes a candidate of a file; ok is false where the answer
// says nothing of it.
func (r *run) wikiCandidate(p wikiPage, host string, depth int) (Task, bool) {
	where := host + "/" + p.Title
	switch {
	case p.Missing || p.Invalid:
		return refusedTask("file_missing", where), true
	case len(p.ImageInfo) == 0:
		return refusedTask("file_missing", where), p.Repository != nil && *p.Repository == ""
	}
	info := p.ImageInfo[0]
	where = firstOf(info.DescriptionURL, where)
	kind, _, _ := strings.Cut(info.Mime, "/")
	switch {
	case info.FileHidden:
		return refusedTask("file_hidden", where), true
	case info.FileMissing || info.URL == "" && info.ThumbURL == "":
		return refusedTask("file_missing", where), true
	case info.MediaType == "VIDEO" || kind == "video":
		return refusedTask("unsupported_video", where), true
	case info.MediaType == "AUDIO" || kind == "audio" || info.Mime == "application/ogg":
		return refusedTask("unsupported_audio", where), true
	case info.Width > 0 && info.Height > 0 && info.MediaType != "DRAWING" && (info.Width < r.cfg.MinWidth || info.Height < r.cfg.MinHeight):
		return refusedTask("too_small", where), true
	}
	addresses := info.addresses(r.cfg)
	if len(addresses) == 0 {
		return refusedTask("unsupported_"+strings.ReplaceAll(info.Mime[strings.IndexByte(info.Mime, '/')+1:], "+xml", ""), where), true
	}
	return Task{
		Kind: Image, URL: addresses[0], Alternatives: addresses[1:], Referer: info.DescriptionURL, Depth: depth,
		Source: info.source(p.Title, host),
	}, true
}

// addresses are the thumbnail as it comes, then the file itself where that
// can be read; the other way round where the file is no wider than wanted.
func (i wikiInfo) addresses(cfg Config) []string {
	var out []string
	add := func(address string) {
		u, err := url.Parse(address)
		if err != nil || address == "" {
			return
		}
		if a, ok := canonical(u); ok && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	whole := readableTypes[i.Mime] && i.Size <= cfg.Picture.MaxBytes
	if whole && i.Width > 0 && i.Width <= cfg.wikiWidth() && i.Mime != "image/tiff" {
		add(i.URL)
		return out
	}
	if cfg.Want == 0 && whole && i.Mime != "image/tiff" {
		add(i.URL)
	}
	add(i.ThumbURL)
	if whole {
		add(i.URL)
	}
	return out
}

// source reads extmetadata, whose values are HTML.
func (i wikiInfo) source(title, host string) palate.Source {
	text := func(name string) string {
		value, _ := i.Meta[name].Value.(string)
		return stripHTML(value)
	}
	s := palate.Source{
		Page: i.DescriptionURL, Site: strings.ToLower(host), ExternalID: title,
		OriginalName: strings.TrimPrefix(title, "File:"),
		Title:        text("ObjectName"), Artist: text("Artist"), Date: text("DateTimeOriginal"), Medium: text("Medium"),
		Licence: firstOf(text("LicenseShortName"), text("UsageTerms")), LicenceURL: text("LicenseUrl"),
		Credit: firstOf(text("Attribution"), text("Credit")),
	}
	if s.Title == "" {
		name := s.OriginalName
		if dot := strings.LastIndexByte(name, '.'); dot > 0 {
			name = name[:dot]
		}
		s.Title = name
	}
	if s.Date == "" {
		s.Date = text("DateTime")
	} else {
		s.Year = yearOf(s.Date)
	}
	s.Categories = cleanList(strings.Split(text("Categories"), "|"))
	return s
}
