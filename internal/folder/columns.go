package folder

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/palate-art/palate"
)

// Row is what a metadata file says of one picture.
type Row struct {
	File string // slash-separated, from the metadata file's folder
	judgement
	Title      string
	Artist     string
	Year       int
	Date       string
	Medium     string
	Categories []string
	Licence    string
	LicenceURL string
	Credit     string
	Page       string
	ExternalID string

	problem string // what of it was not understood, and is left out
}

func (r *Row) fill(s *palate.Source) {
	s.Title, s.Artist, s.Year, s.Date, s.Medium = r.Title, r.Artist, r.Year, r.Date, r.Medium
	s.Categories, s.Licence, s.LicenceURL, s.Credit = r.Categories, r.Licence, r.LicenceURL, r.Credit
	s.Page, s.ExternalID = r.Page, r.ExternalID
}

// columns names the fields as people name them, letter case, spaces and
// dashes aside. "source" is the address of the page that describes the work.
var columns = map[string]func(r *Row, value string) error{
	"file":        func(r *Row, v string) error { r.File = v; return nil },
	"title":       func(r *Row, v string) error { r.Title = v; return nil },
	"artist":      func(r *Row, v string) error { r.Artist = v; return nil },
	"year":        setYear,
	"date":        func(r *Row, v string) error { r.Date = v; return nil },
	"medium":      func(r *Row, v string) error { r.Medium = v; return nil },
	"categories":  setCategories,
	"licence":     func(r *Row, v string) error { r.Licence = v; return nil },
	"licence_url": func(r *Row, v string) error { r.LicenceURL = v; return nil },
	"credit":      func(r *Row, v string) error { r.Credit = v; return nil },
	"source":      func(r *Row, v string) error { r.Page = v; return nil },
	"external_id": func(r *Row, v string) error { r.ExternalID = v; return nil },
	"verdict":     setVerdict,
	"rating":      setRating,
	"favourite":   setFavourite,
}

var synonyms = map[string]string{
	"filename": "file", "file_name": "file", "path": "file", "image": "file", "name": "file",
	"author": "artist", "creator": "artist", "license": "licence", "license_url": "licence_url",
	"url": "source", "page": "source", "source_url": "source", "id": "external_id",
	"externalid": "external_id", "technique": "medium", "category": "categories", "tags": "categories",
	"judgement": "verdict", "stars": "rating", "favorite": "favourite", "favorited": "favourite", "favourited": "favourite", "isfavorite": "favourite", "liked": "favourite",
}

// judges are the columns of which nothing stops an import: tables of other
// programs have them in other senses, and several of one.
var judges = map[string]bool{"verdict": true, "rating": true, "favourite": true}

func setYear(r *Row, v string) error {
	if v == "" {
		return nil
	}
	// Spreadsheets write 1871.0 where another row has no year.
	year, err := strconv.Atoi(strings.TrimSuffix(v, ".0"))
	if err != nil {
		return fmt.Errorf("year %.40q is not a whole number (put it under date)", v)
	}
	r.Year = year
	return nil
}

func setCategories(r *Row, v string) error {
	for part := range strings.SplitSeq(v, ";") {
		if part = strings.TrimSpace(part); part != "" {
			r.Categories = append(r.Categories, part)
		}
	}
	return nil
}

// columnsOf tells what each name means: one of columns, or "" where it means
// nothing to palate. A column's own name wins over its synonyms, so that a
// table may have file and name; two synonyms without it are an error, but of what
// judges, where each is heard.
func columnsOf(names []string) ([]string, error) {
	own := make([]string, len(names))
	taken := make(map[string]string) // by meaning, the name as written
	for i, name := range names {
		own[i] = strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
		if columns[own[i]] == nil {
			continue
		}
		if _, twice := taken[own[i]]; twice {
			return nil, fmt.Errorf("%.40q is there twice", name)
		}
		taken[own[i]] = name
	}
	meanings := make([]string, len(names))
	bySynonym := make(map[string]string)
	for i, name := range own {
		if columns[name] != nil {
			meanings[i] = name
			continue
		}
		meaning := synonyms[name]
		if _, exact := taken[meaning]; meaning == "" || exact {
			continue
		}
		if other, twice := bySynonym[meaning]; twice && !judges[meaning] {
			return nil, fmt.Errorf("%.40q and %.40q both mean %s; call one of them that", other, names[i], meaning)
		}
		bySynonym[meaning], meanings[i] = names[i], meaning
	}
	return meanings, nil
}

func utf8Clean(r *Row) bool {
	for _, s := range append([]string{r.File, r.Title, r.Artist, r.Date, r.Medium, r.Licence, r.LicenceURL, r.Credit, r.Page, r.ExternalID}, r.Categories...) {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}
