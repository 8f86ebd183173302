package crawler

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"github.com/palate-art/palate"
)

// record is what a page says of itself.
type record struct {
	isWork  bool // the page describes one work
	named   []namedPicture
	images  []string // references of pictures that stand for the page
	listed  []string // references of pages that structured data lists
	heading string
	page    string
	site    string
	source  palate.Source // what is said of the work
}

// readRecord reads structured data first, then what a person would read.
func readRecord(p *page) record {
	rec := record{page: p.self, site: strings.ToLower(p.at.Hostname())}
	readLinkedData(p.doc, &rec)
	readMicrodata(p.doc, &rec)
	readLabels(p, &rec)
	readWiki(p, &rec)
	readMeta(p.doc, &rec)
	if p.doc.Find(".fullImageLink a[href]").Length() > 0 {
		rec.isWork = true
	}
	rec.source.Year = yearOf(rec.source.Date)
	return rec
}

// place is the part of a source that is the page's, whatever it shows.
func (rec *record) place() palate.Source { return palate.Source{Page: rec.page, Site: rec.site} }

// fill adds what the page knows of the work where s says nothing.
func (rec *record) fill(s palate.Source) palate.Source {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&s.Page, rec.page)
	set(&s.Site, rec.site)
	set(&s.ExternalID, rec.source.ExternalID)
	set(&s.Title, rec.source.Title)
	set(&s.Artist, rec.source.Artist)
	set(&s.Medium, rec.source.Medium)
	set(&s.Licence, rec.source.Licence)
	set(&s.LicenceURL, rec.source.LicenceURL)
	set(&s.Credit, rec.source.Credit)
	if s.Date == "" {
		s.Date, s.Year = rec.source.Date, rec.source.Year
	}
	if len(s.Categories) == 0 {
		s.Categories = rec.source.Categories
	}
	return s
}

// field names a part of a source by a label's meaning.
type field string

const (
	fieldTitle      field = "title"
	fieldArtist     field = "artist"
	fieldDate       field = "date"
	fieldMedium     field = "medium"
	fieldLicence    field = "licence"
	fieldCredit     field = "credit"
	fieldID         field = "id"
	fieldCategories field = "categories"
)

// labels are what the columns of museums' records are called.
var labels = map[string]field{
	"title": fieldTitle, "name": fieldTitle, "titel": fieldTitle, "titre": fieldTitle, "título": fieldTitle,
	"artist": fieldArtist, "artists": fieldArtist, "author": fieldArtist, "creator": fieldArtist, "painter": fieldArtist, "maker": fieldArtist,
	"photographer": fieldArtist, "künstler": fieldArtist, "urheber": fieldArtist, "artiste": fieldArtist, "auteur": fieldArtist, "artista": fieldArtist,
	"date": fieldDate, "year": fieldDate, "created": fieldDate, "date created": fieldDate, "dated": fieldDate, "datum": fieldDate, "jahr": fieldDate,
	"année": fieldDate, "fecha": fieldDate, "año": fieldDate,
	"medium": fieldMedium, "technique": fieldMedium, "materials": fieldMedium, "material": fieldMedium, "materials and techniques": fieldMedium,
	"technik": fieldMedium, "técnica": fieldMedium,
	"licence": fieldLicence, "license": fieldLicence, "rights": fieldLicence, "copyright": fieldLicence, "lizenz": fieldLicence, "licencia": fieldLicence,
	"credit": fieldCredit, "credit line": fieldCredit, "attribution": fieldCredit, "source": fieldCredit, "source/photographer": fieldCredit,
	"accession number": fieldID, "accession no": fieldID, "inventory number": fieldID, "inventory no": fieldID, "object number": fieldID,
	"object id": fieldID, "identifier": fieldID, "catalogue number": fieldID, "inventarnummer": fieldID, "numéro d'inventaire": fieldID,
	"category": fieldCategories, "categories": fieldCategories, "tags": fieldCategories, "style": fieldCategories, "genre": fieldCategories,
	"keywords": fieldCategories, "movement": fieldCategories,
}

// put keeps the first that is said.
func (rec *record) put(f field, value string) {
	value = tidy(value)
	if value == "" {
		return
	}
	s := &rec.source
	if f == fieldCategories {
		if len(s.Categories) == 0 {
			s.Categories = splitList(value)
		}
		return
	}
	at := map[field]*string{
		fieldTitle: &s.Title, fieldArtist: &s.Artist, fieldDate: &s.Date, fieldMedium: &s.Medium,
		fieldLicence: &s.Licence, fieldCredit: &s.Credit, fieldID: &s.ExternalID,
	}[f]
	if *at == "" {
		*at = value
	}
}

// splitList parts at the strongest separator that is there.
func splitList(text string) []string {
	for _, separator := range []string{";", "|", ","} {
		if strings.Contains(text, separator) {
			return cleanList(strings.Split(text, separator))
		}
	}
	return cleanList([]string{text})
}

func cleanList(list []string) []string {
	var out []string
	for _, item := range list {
		if item = tidy(item); item != "" && !slices.Contains(out, item) {
			out = append(out, item)
		}
	}
	return out
}

// readLabels reads tables, definition lists and "label: value" items. A page
// with two different labels describes a work.
func readLabels(p *page, rec *record) {
	seen := map[field]bool{}
	pair := func(label, value *goquery.Selection) {
		f, ok := labels[normalLabel(label.Text())]
		if !ok || seen[f] {
			return
		}
		seen[f] = true
		rec.put(f, value.Text())
		if f == fieldLicence && rec.source.LicenceURL == "" {
			rec.setLicenceURL(p.base, value.Find("a[href]").First().AttrOr("href", ""))
		}
	}
	p.doc.Find("tr").Each(func(_ int, row *goquery.Selection) {
		// A row of several labels is the head of a table of works.
		if cells := row.ChildrenFiltered("th, td"); cells.Length() == 2 && !cells.Eq(1).Is("th") && !isFurniture(row) {
			pair(cells.Eq(0), cells.Eq(1))
		}
	})
	p.doc.Find("dt").Each(func(_ int, dt *goquery.Selection) {
		if dd := dt.NextFiltered("dd"); dd.Length() > 0 && !isFurniture(dt) {
			pair(dt, dd)
		}
	})
	p.doc.Find("li > :first-child, p > :first-child").Each(func(_ int, first *goquery.Selection) {
		label := first.Text()
		if len(label) > 40 || labels[normalLabel(label)] == "" || isFurniture(first) {
			return
		}
		if next := first.Next(); next.Length() > 0 {
			pair(first, next)
		} else if strings.HasSuffix(tidy(label), ":") {
			rest := first.Parent().Clone()
			rest.Children().First().Remove()
			pair(first, rest)
		}
	})
	if len(seen) >= 2 {
		rec.isWork = true
	}
}

// furniture is the part of a page that is the same on every page.
const furniture = "header, footer, nav, aside, [role=banner], [role=contentinfo], [role=navigation], [role=complementary]"

func isFurniture(s *goquery.Selection) bool {
	f := s.Closest(furniture)
	if f.Length() == 0 {
		return false
	}
	// An article's own header or aside may hold its record.
	return f.Is("footer, nav, [role=contentinfo], [role=navigation]") || f.Closest("article, main, figure, [role=main]").Length() == 0
}

func normalLabel(s string) string {
	return strings.ToLower(strings.TrimRight(tidy(s), " :.*"))
}

func (rec *record) setLicenceURL(base *url.URL, reference string) {
	if u, ok := resolve(base, reference); ok && rec.source.LicenceURL == "" {
		rec.source.LicenceURL = u.String()
	}
}

// readWiki reads what MediaWiki's file pages have beside their table.
func readWiki(p *page, rec *record) {
	if p.doc.Find(".fullImageLink").Length() == 0 {
		return
	}
	if short := p.doc.Find(".licensetpl_short").First(); short.Length() > 0 {
		rec.source.Licence = tidy(short.Text())
	}
	if link := tidy(p.doc.Find(".licensetpl_link").First().Text()); link != "" {
		rec.source.LicenceURL = ""
		rec.setLicenceURL(p.base, link)
	}
	if len(rec.source.Categories) == 0 {
		rec.source.Categories = cleanList(p.doc.Find("#mw-normal-catlinks li a, #catlinks li a").Map(func(_ int, s *goquery.Selection) string { return s.Text() }))
	}
}

// readMeta reads what pages say to those who link to them, and the heading.
func readMeta(doc *goquery.Selection, rec *record) {
	content := func(selector string) string {
		return tidy(doc.Find(selector).First().AttrOr("content", ""))
	}
	for _, selector := range []string{
		`meta[property="og:image:secure_url"]`, `meta[property="og:image"]`, `meta[property="og:image:url"]`, `meta[name="twitter:image"]`,
		`meta[name="twitter:image:src"]`, `meta[itemprop="image"]`, `link[rel="image_src"]`,
	} {
		image := doc.Find(selector).First()
		if image := firstOf(image.AttrOr("content", ""), image.AttrOr("href", "")); image != "" {
			rec.images = append(rec.images, image)
			break
		}
	}
	if license := doc.Find(`a[rel~=license], link[rel~=license]`).First(); license.Length() > 0 {
		if rec.source.LicenceURL == "" {
			rec.source.LicenceURL = license.AttrOr("href", "")
		}
		rec.put(fieldLicence, license.Text())
	}
	rec.heading = firstOf(tidy(doc.Find("h1").First().Text()), content(`meta[property="og:title"]`), tidy(doc.Find("title").First().Text()))
	if rec.isWork {
		rec.put(fieldTitle, rec.heading)
	}
	rec.put(fieldArtist, content(`meta[property="article:author"]:not([content^="http"])`))
}

var space = regexp.MustCompile(`[\s\x{00a0}]+`)

// tidy makes one line of a text as a browser would show it.
func tidy(s string) string {
	return strings.TrimSpace(space.ReplaceAllString(strings.ToValidUTF8(s, ""), " "))
}

var yearPattern = regexp.MustCompile(`(?:^|[^0-9])(1[0-9]{3}|20[0-9]{2})(?:[^0-9]|$)`)

// yearOf is the first year from 1000 to 2099 in a date as sources write it;
// 0 if there is none.
func yearOf(date string) int {
	m := yearPattern.FindStringSubmatch(date)
	if m == nil {
		return 0
	}
	year, _ := strconv.Atoi(m[1])
	return year
}

// stripHTML gives the text of a fragment. What is hidden from readers stays
// hidden.
func stripHTML(fragment string) string {
	if !strings.ContainsAny(fragment, "<&") {
		return tidy(fragment)
	}
	doc, err := html.Parse(strings.NewReader(fragment))
	if err != nil {
		return tidy(fragment)
	}
	selection := goquery.NewDocumentFromNode(doc)
	selection.Find("style, script, [style*='display:none'], [style*='display: none']").Remove()
	selection.Find("br, p, div, li").Each(func(_ int, s *goquery.Selection) { s.AppendHtml(" ") })
	return tidy(selection.Text())
}
