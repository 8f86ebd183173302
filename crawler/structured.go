package crawler

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// workTypes are the types of schema.org for a work that a page can be about.
var workTypes = []string{
	"VisualArtwork", "Painting", "Drawing", "Photograph", "Sculpture", "Poster", "CoverArt", "ImageObject", "ArtObject", "CreativeWork",
}

// readLinkedData reads JSON-LD. Several works on one page make it a list.
func readLinkedData(doc *goquery.Selection, rec *record) {
	var works []map[string]any
	doc.Find(`script[type="application/ld+json"]`).Each(func(_ int, s *goquery.Selection) {
		var value any
		if json.Unmarshal([]byte(s.Text()), &value) == nil {
			works = append(works, linkedWorks(value, rec, 0)...)
		}
	})
	if len(works) != 1 {
		for _, w := range works {
			rec.listed = append(rec.listed, texts(w["url"])...)
		}
		return
	}
	w := works[0]
	rec.isWork = true
	rec.files = append(rec.files, texts(w["contentUrl"])...)
	for _, image := range list(w["image"]) {
		switch image := image.(type) {
		case string:
			rec.images = append(rec.images, image)
		case map[string]any:
			rec.files = append(rec.files, texts(image["contentUrl"])...)
			rec.images = append(rec.images, texts(image["url"])...)
		}
	}
	first := func(values ...any) string {
		for _, v := range values {
			if t := texts(v); len(t) > 0 {
				return t[0]
			}
		}
		return ""
	}
	rec.put(fieldTitle, first(w["name"], w["headline"]))
	rec.put(fieldArtist, strings.Join(texts(firstSet(w, "creator", "artist", "author")), ", "))
	rec.put(fieldDate, first(w["dateCreated"], w["datePublished"]))
	rec.put(fieldMedium, strings.Join(texts(firstSet(w, "artMedium", "artform", "material")), ", "))
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
}

// linkedWorks finds the works in a JSON-LD value and notes lists of pages.
func linkedWorks(value any, rec *record, depth int) (works []map[string]any) {
	if depth > 8 {
		return nil
	}
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			works = append(works, linkedWorks(v, rec, depth+1)...)
		}
	case map[string]any:
		types := texts(value["@type"])
		if slices.ContainsFunc(types, func(t string) bool { return slices.Contains(workTypes, t) }) {
			return []map[string]any{value}
		}
		if slices.Contains(types, "ListItem") {
			rec.listed = append(rec.listed, texts(value["url"])...)
		}
		if slices.Contains(types, "BreadcrumbList") {
			return nil
		}
		for _, key := range []string{"@graph", "mainEntity", "itemListElement", "item", "hasPart"} {
			works = append(works, linkedWorks(value[key], rec, depth+1)...)
		}
	}
	return works
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
		return slices.Contains(workTypes, kind[strings.LastIndexByte(kind, '/')+1:]) &&
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
				rec.files = append(rec.files, value)
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
