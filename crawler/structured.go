package crawler

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"github.com/palate-art/palate"
)

// workTypes are the types of schema.org for a work that a page can be about.
var workTypes = []string{
	"VisualArtwork", "Painting", "Drawing", "Photograph", "Sculpture", "Poster", "CoverArt", "ArtObject",
}

// fileTypes are of things with a picture that a page may merely mention: its
// share image, its publisher's logo.
var fileTypes = []string{"ImageObject", "CreativeWork"}

// namedPicture is a picture that structured data names.
type namedPicture struct {
	references []string
	width      int
	source     palate.Source
	own        bool // it is named as a work's picture, not merely mentioned
}

// linkedData is the JSON-LD of a page as it is read.
type linkedData struct {
	works, files []map[string]any
	primary      map[string]bool // identifiers of pictures that stand for the page
	listed       []string
}

// readLinkedData reads JSON-LD. Several works on one page make it a list.
func readLinkedData(doc *goquery.Selection, rec *record) {
	d := linkedData{primary: map[string]bool{}}
	doc.Find(`script[type="application/ld+json" i]`).Each(func(_ int, s *goquery.Selection) {
		var value any
		text := strings.TrimSpace(s.Text())
		text = strings.TrimSuffix(strings.TrimPrefix(text, "<!--"), "-->")
		if json.Unmarshal([]byte(text), &value) == nil {
			d.read(value, false, 0)
		}
	})
	rec.listed = append(rec.listed, d.listed...)
	alone := len(d.works) == 1
	for _, w := range d.works {
		own := workSource(w)
		if alone {
			rec.isWork = true
			rec.take(own)
		} else {
			rec.listed = append(rec.listed, texts(w["url"])...)
			if len(texts(w["url"])) > 0 && len(d.works) > 1 {
				continue // its page shows it
			}
		}
		for _, value := range append(list(w["image"]), list(w["associatedMedia"])...) {
			rec.name(value, own, true)
		}
		if file := texts(w["contentUrl"]); len(file) > 0 {
			rec.name(w, own, true)
		}
	}
	for _, f := range d.files {
		own := workSource(f)
		if ids := texts(f["@id"]); len(ids) > 0 && d.primary[ids[0]] || f["primary"] == true {
			rec.images = append(rec.images, append(plainTexts(f["contentUrl"]), plainTexts(f["url"])...)...)
			continue
		}
		if len(d.works) == 0 && len(d.files) == 1 && (own.Artist != "" || len(d.primary) == 0) {
			rec.isWork = true
			rec.take(own)
		}
		rec.name(f, own, len(d.files) > 1 || len(plainTexts(f["contentUrl"])) > 0)
		for _, value := range list(f["image"]) {
			rec.name(value, own, false)
		}
	}
}

// name files a picture: an address, or an object with one.
func (rec *record) name(value any, own palate.Source, isWork bool) {
	n := namedPicture{source: own, own: isWork}
	switch value := value.(type) {
	case string:
		n.references = []string{value}
	case map[string]any:
		n.references = append(plainTexts(value["contentUrl"]), plainTexts(value["url"])...)
		n.width = number(value["width"])
		if w, ok := value["width"].(map[string]any); ok {
			n.width = number(w["value"])
		}
		if t := texts(firstSet(value, "caption", "name")); len(t) > 0 && own.Title == "" {
			n.source.Title = stripHTML(t[0])
		}
	}
	if len(n.references) > 0 && len(rec.named) < 2000 {
		rec.named = append(rec.named, n)
	}
}

// take makes what is said of a work the record's.
func (rec *record) take(s palate.Source) {
	rec.source = rec.fillFrom(rec.source, s)
}

// fillFrom adds what more says where s says nothing.
func (rec *record) fillFrom(s, more palate.Source) palate.Source {
	r := record{source: more}
	page, site := s.Page, s.Site
	s = r.fill(s)
	s.Page, s.Site = page, site
	return s
}

// workSource reads the properties of a work.
func workSource(w map[string]any) palate.Source {
	var rec record
	first := func(values ...any) string {
		for _, v := range values {
			if t := texts(v); len(t) > 0 {
				return stripHTML(t[0])
			}
		}
		return ""
	}
	rec.put(fieldTitle, first(w["name"], w["headline"], w["caption"]))
	rec.put(fieldArtist, stripHTML(strings.Join(texts(firstSet(w, "creator", "artist", "author")), ", ")))
	rec.put(fieldDate, first(w["dateCreated"], w["datePublished"]))
	rec.put(fieldMedium, stripHTML(strings.Join(texts(firstSet(w, "artMedium", "artform", "material")), ", ")))
	rec.put(fieldCredit, first(w["creditText"], w["copyrightNotice"]))
	rec.put(fieldID, first(w["identifier"]))
	if license := first(w["license"]); strings.HasPrefix(license, "http") {
		rec.source.LicenceURL = license
	} else {
		rec.put(fieldLicence, license)
	}
	if genre := texts(firstSet(w, "genre", "keywords")); len(genre) == 1 {
		rec.source.Categories = splitList(genre[0])
	} else {
		rec.source.Categories = cleanList(genre)
	}
	rec.source.Year = yearOf(rec.source.Date)
	return rec.source
}

// read finds works, pictures and lists of pages in a JSON-LD value.
func (d *linkedData) read(value any, primary bool, depth int) {
	if depth > 16 || len(d.works)+len(d.files) > 2000 {
		return
	}
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			d.read(v, primary, depth+1)
		}
	case map[string]any:
		types := texts(value["@type"])
		is := func(names []string) bool {
			return slices.ContainsFunc(types, func(t string) bool { return slices.Contains(names, t[strings.LastIndexAny(t, "/:")+1:]) })
		}
		for _, key := range []string{"primaryImageOfPage", "thumbnail", "logo"} {
			for _, v := range list(value[key]) {
				if object, ok := v.(map[string]any); ok {
					if ids := texts(object["@id"]); len(ids) > 0 {
						d.primary[ids[0]] = true
					}
				}
			}
		}
		switch {
		case is(workTypes):
			d.works = append(d.works, value)
			return
		case is(fileTypes):
			d.files = append(d.files, value)
			return
		case is([]string{"BreadcrumbList"}):
			return
		case is([]string{"ListItem"}):
			d.listed = append(d.listed, plainTexts(value["url"])...)
			if address, ok := value["item"].(string); ok {
				d.listed = append(d.listed, address)
			}
		case is([]string{"ImageGallery", "CollectionPage", "MediaGallery"}):
			for _, key := range []string{"image", "associatedMedia", "about"} {
				for _, v := range list(value[key]) {
					if address, ok := v.(string); ok {
						v = map[string]any{"@type": "ImageObject", "contentUrl": address}
					}
					d.read(v, false, depth+1)
				}
			}
		}
		for _, key := range []string{"@graph", "mainEntity", "itemListElement", "item", "hasPart"} {
			d.read(value[key], false, depth+1)
		}
		for _, v := range list(value["primaryImageOfPage"]) {
			if object, ok := v.(map[string]any); ok && len(plainTexts(object["contentUrl"]))+len(plainTexts(object["url"])) > 0 {
				d.files = append(d.files, map[string]any{"primary": true, "contentUrl": object["contentUrl"], "url": object["url"]})
			}
		}
	}
}

// plainTexts are the strings of a value alone.
func plainTexts(v any) []string {
	var out []string
	for _, item := range list(v) {
		if text, ok := item.(string); ok && text != "" {
			out = append(out, text)
		}
	}
	return out
}

func firstSet(m map[string]any, keys ...string) any {
	for _, k := range keys {
		if len(texts(m[k])) > 0 {
			return m[k]
		}
	}
	return nil
}

// list makes a list of one of a single value.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// texts gives the strings of a value: itself, or the names of objects.
func texts(v any) []string {
	var out []string
	for _, item := range list(v) {
		switch item := item.(type) {
		case string:
			if item != "" {
				out = append(out, item)
			}
		case float64:
			text, err := json.Marshal(item)
			if err == nil {
				out = append(out, string(text))
			}
		case map[string]any:
			for _, key := range []string{"name", "value", "@value", "@id", "url"} {
				if t := texts(item[key]); len(t) > 0 {
					out = append(out, t[0])
					break
				}
			}
		}
	}
	return out
}

// properties maps the properties of schema.org to fields.
var properties = map[string]field{
	"name": fieldTitle, "creator": fieldArtist, "artist": fieldArtist, "author": fieldArtist,
	"dateCreated": fieldDate, "artMedium": fieldMedium, "artform": fieldMedium, "material": fieldMedium,
	"creditText": fieldCredit, "identifier": fieldID,
}

// readMicrodata reads itemprop attributes of the page's one work.
func readMicrodata(doc *goquery.Selection, rec *record) {
	scopes := doc.Find("[itemscope][itemtype]").FilterFunction(func(_ int, s *goquery.Selection) bool {
		kind := s.AttrOr("itemtype", "")
		kind = kind[strings.LastIndexByte(kind, '/')+1:]
		return (slices.Contains(workTypes, kind) || slices.Contains(fileTypes, kind)) &&
			s.ParentsFiltered("[itemscope]").Length() == 0
	})
	if scopes.Length() != 1 {
		return
	}
	rec.isWork = true
	var genres []string
	scopes.Find("[itemprop]").Each(func(_ int, s *goquery.Selection) {
		for name := range strings.FieldsSeq(s.AttrOr("itemprop", "")) {
			value := itemValue(s)
			switch {
			case name == "contentUrl":
				rec.name(value, palate.Source{}, true)
			case name == "image" && !s.Is("[itemscope]"):
				rec.images = append(rec.images, value)
			case name == "license" && strings.HasPrefix(value, "http"):
				rec.source.LicenceURL = firstOf(rec.source.LicenceURL, value)
				rec.put(fieldLicence, s.Text())
			case name == "license":
				rec.put(fieldLicence, value)
			case name == "genre" || name == "keywords":
				genres = append(genres, value)
			case properties[name] != "" && ownProperty(s, scopes):
				rec.put(properties[name], value)
			}
		}
	})
	if len(rec.source.Categories) == 0 {
		rec.source.Categories = cleanList(genres)
	}
}

// ownProperty reports properties of the work itself, not of a person in it.
func ownProperty(s, scope *goquery.Selection) bool {
	return s.Parent().Closest("[itemscope]").IsSelection(scope)
}

// itemValue is an element's value as the microdata standard has it.
func itemValue(s *goquery.Selection) string {
	switch {
	case s.Is("[content]"):
		return s.AttrOr("content", "")
	case s.Is("a, link, area"):
		return s.AttrOr("href", "")
	case s.Is("img, source"):
		return s.AttrOr("src", "")
	case s.Is("time[datetime]"):
		return s.AttrOr("datetime", "")
	}
	return s.Text()
}
