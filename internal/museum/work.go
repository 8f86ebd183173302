package museum

import (
	"fmt"
	"math"
	"net/url"
	"strings"

	"github.com/palate-art/palate"
)

// Work is the truth about one picture.
type Work struct {
	Index      int
	Style      Style
	Artist     string
	Title      string
	Year       int
	Medium     string
	Licence    string
	LicenceURL string
	ExternalID string   // the museum's accession number, such as "PM-0042"
	Categories []string // of the gallery and of MediaWiki, without namespace

	Width, Height int // upright
	Orientation   int // EXIF's, 1 to 8; the file's pixels lie accordingly
	ContentType   string

	// FileName is the picture's name on both media hosts and, behind
	// "File:", the title of its MediaWiki page. At most 240 bytes.
	FileName string

	PageURL         string // in the gallery
	ImageURL        string // on the gallery's media host
	CommonsTitle    string // "File:…"
	CommonsPageID   int
	CommonsPageURL  string
	CommonsImageURL string

	ListMarkup string // how gallery pages show the thumbnail: one of ListMarkups
	PageMarkup string // how the work's own page gives the full picture: one of PageMarkups
}

// Artwork is a work with its file.
type Artwork struct {
	Work
	ImageID palate.ImageID
	SHA256  [32]byte
	Bytes   int
}

// The ways of the gallery's pages to show a thumbnail. "full-link" is an
// <a href> that leads from the thumbnail straight to the full picture;
// "jpg-page" links to a page whose address ends like a picture's.
var ListMarkups = []string{"img", "data-src", "data-lazy-src", "srcset", "picture", "full-link", "noscript", "jpg-page"}

// The ways of a work's page to give the full picture. In "redirect" the
// address is on the gallery's host and answers 302 to the media host; in
// "og:image" and "json-ld" no element of the page shows it.
var PageMarkups = []string{"img", "data-src", "srcset", "picture", "og:image", "json-ld", "full-link", "noscript", "redirect", "data-lazy-src", "relative"}

// plan lays out every work; it draws no picture.
func plan(cfg Config) []Work {
	shuffle := newSource(cfg.Seed, 0, streamShuffle)
	styles := make([]int, cfg.Pictures)
	for i := range styles {
		styles[i] = i % len(painters)
	}
	shuffle.Shuffle(len(styles), func(i, j int) { styles[i], styles[j] = styles[j], styles[i] })

	taken := make(map[string]bool)
	works := make([]Work, cfg.Pictures)
	for i := range works {
		w := planWork(cfg, i, painters[styles[i]].style)
		extension := map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}[w.ContentType]
		w.FileName = fileTitle(w.Title, extension, taken)
		w.PageURL = "http://" + GalleryHost + workPath(w)
		w.ImageURL = fmt.Sprintf("http://%s/originals/%04d/%s", MediaHost, i, pathEscape(w.FileName))
		w.CommonsTitle = "File:" + w.FileName
		w.CommonsPageID = filePageBase + i
		w.CommonsPageURL = "http://" + CommonsHost + "/wiki/" + wikiEscape(w.CommonsTitle)
		w.CommonsImageURL = "http://" + UploadHost + "/originals/" + hashFolders(w.FileName) + wikiEscape(w.FileName)
		works[i] = w
	}
	return works
}

func planWork(cfg Config, i int, style Style) Work {
	s := newSource(cfg.Seed, i, streamPlan)
	w := Work{Index: i, Style: style, ExternalID: fmt.Sprintf("PM-%04d", i), Orientation: 1, ContentType: "image/jpeg"}
	w.Width, w.Height = sides(s, cfg.Scale)
	switch {
	case i%97 == 41:
		w.ContentType = "image/gif"
	case i%17 == 9:
		w.Orientation = 2 + i/17%7
	case i%11 == 6:
		w.ContentType = "image/png"
	}
	w.ListMarkup = ListMarkups[i%len(ListMarkups)]
	w.PageMarkup = PageMarkups[i%len(PageMarkups)]

	r := newSource(cfg.Seed, i, streamRecord)
	a := artistOf(r, style)
	l := pick(r, licences)
	w.Artist, w.Title, w.Year = a.name, titleOf(r, i), a.born+r.count(22, 60)
	w.Medium = pick(r, media[style])
	w.Licence, w.LicenceURL = l.name, l.url
	w.Categories = []string{styleCategory(style), fmt.Sprintf("Works of the %ds", w.Year/10*10)}
	return w
}

// sides draws upright sides of 320 to 900 pixels, times scale.
func sides(s source, scale float64) (width, height int) {
	short := s.between(320, 560) * scale
	long := short * pick(s, []float64{1, 1.25, 4. / 3, 4. / 3, 1.5, 1.6})
	width, height = int(math.Round(long)), int(math.Round(short))
	if s.chance(.4) {
		width, height = height, width
	}
	return width, height
}

func workPath(w Work) string {
	if w.ListMarkup == "jpg-page" {
		return "/wiki/File:" + wikiEscape(w.FileName)
	}
	return fmt.Sprintf("/works/%d", w.Index)
}

// pathEscape encodes one segment of a path, the comma too, which separates
// addresses in a srcset.
func pathEscape(s string) string { return strings.ReplaceAll(url.PathEscape(s), ",", "%2C") }

// wikiEscape encodes a title as MediaWiki does: spaces become underscores,
// the namespace's colon stays.
func wikiEscape(title string) string {
	return strings.ReplaceAll(pathEscape(strings.ReplaceAll(title, " ", "_")), "%3A", ":")
}
