package folder

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// maxMetadataBytes bounds a metadata file: a million rows of a museum fit.
const maxMetadataBytes = 512 << 20

// Row is what a metadata file says of one picture of its folder.
type Row struct {
	File       string
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
}

var synonyms = map[string]string{
	"filename": "file", "file_name": "file", "path": "file", "image": "file", "name": "file",
	"author": "artist", "creator": "artist", "license": "licence", "license_url": "licence_url",
	"url": "source", "page": "source", "source_url": "source", "id": "external_id",
	"externalid": "external_id", "technique": "medium", "category": "categories", "tags": "categories",
}

func setYear(r *Row, v string) error {
	if v == "" {
		return nil
	}
	year, err := strconv.Atoi(v)
	if err != nil {
		return fmt.Errorf("year %q is not a whole number (put it under date)", v)
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

func columnOf(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	name = strings.NewReplacer(" ", "_", "-", "_").Replace(name)
	if same, ok := synonyms[name]; ok {
		return same
	}
	return name
}

func isMetadata(name string) bool { return name == "metadata.csv" || name == "metadata.json" }

// table holds the rows of one folder by file name.
type table struct {
	name string
	rows map[string]*Row
	left []string // names in the order of the file, until taken
}

// take returns the row of a file, or nil.
func (t *table) take(name string) *Row {
	row := t.rows[name]
	delete(t.rows, name)
	return row
}

// rest names the rows that no file took.
func (t *table) rest() []string {
	var rest []string
	for _, name := range t.left {
		if _, there := t.rows[name]; there {
			rest = append(rest, t.name+": "+name)
		}
	}
	return rest
}

func (t *table) add(r *Row, where string) error {
	if !utf8Clean(r) {
		return fmt.Errorf("%s: text that is not UTF-8: %w", where, palate.ErrInvalid)
	}
	name := filepath.ToSlash(r.File)
	if name == "" || strings.Contains(name, "/") {
		return fmt.Errorf("%s: file %q: want the name of a file in the same folder: %w", where, r.File, palate.ErrInvalid)
	}
	if _, twice := t.rows[name]; twice {
		return fmt.Errorf("%s: file %q has a row already: %w", where, r.File, palate.ErrInvalid)
	}
	t.rows[name] = r
	t.left = append(t.left, name)
	return nil
}

// readMetadata reads the folder's metadata file; a folder without one has an
// empty table, a folder with both is palate.ErrInvalid.
func readMetadata(dir string) (*table, error) {
	t := &table{rows: map[string]*Row{}}
	for name, parse := range map[string]func(*table, string, []byte) error{
		"metadata.csv": parseCSV, "metadata.json": parseJSON,
	} {
		path := filepath.Join(dir, name)
		content, err := readBounded(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		if t.name != "" {
			return nil, fmt.Errorf("%s: metadata.csv and metadata.json stand side by side; keep one: %w", dir, palate.ErrInvalid)
		}
		t.name = path
		if err := parse(t, path, bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxMetadataBytes+1))
	if err == nil && len(content) > maxMetadataBytes {
		err = fmt.Errorf("%s has more than %d bytes: %w", path, maxMetadataBytes, palate.ErrInvalid)
	}
	return content, err
}

func parseCSV(t *table, path string, content []byte) error {
	reader := csv.NewReader(bytes.NewReader(content))
	header, err := reader.Read()
	if err != nil {
		return fmt.Errorf("%s: no header row: %w: %w", path, err, palate.ErrInvalid)
	}
	hasFile := false
	for i, name := range header {
		header[i] = columnOf(name)
		hasFile = hasFile || header[i] == "file"
	}
	if !hasFile {
		return fmt.Errorf("%s: no column \"file\" in the header (%s): %w", path, strings.Join(header, ", "), palate.ErrInvalid)
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %w", path, err, palate.ErrInvalid)
		}
		line, _ := reader.FieldPos(0)
		where := fmt.Sprintf("%s:%d", path, line)
		row := new(Row)
		for i, value := range record {
			if set := columns[header[i]]; set != nil {
				if err := set(row, strings.TrimSpace(value)); err != nil {
					return fmt.Errorf("%s: %w: %w", where, err, palate.ErrInvalid)
				}
			}
		}
		if err := t.add(row, where); err != nil {
			return err
		}
	}
}

// parseJSON reads a list of objects, or one object of objects by file name.
func parseJSON(t *table, path string, content []byte) error {
	var list []map[string]any
	var byName map[string]map[string]any
	if err := json.Unmarshal(content, &list); err != nil {
		if json.Unmarshal(content, &byName) != nil {
			return fmt.Errorf("%s: want a list of objects, or an object of objects by file name: %w: %w", path, err, palate.ErrInvalid)
		}
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			object := byName[name]
			if object == nil {
				object = map[string]any{}
			}
			object["file"] = name
			list = append(list, object)
		}
	}
	for i, object := range list {
		where := fmt.Sprintf("%s: entry %d", path, i+1)
		row := new(Row)
		for key, value := range object {
			set := columns[columnOf(key)]
			if set == nil || value == nil {
				continue
			}
			text, err := jsonText(value)
			if err == nil {
				err = set(row, text)
			}
			if err != nil {
				return fmt.Errorf("%s: %s: %w: %w", where, key, err, palate.ErrInvalid)
			}
		}
		if err := t.add(row, where); err != nil {
			return err
		}
	}
	return nil
}

func jsonText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []any:
		parts := make([]string, len(v))
		for i, p := range v {
			text, ok := p.(string)
			if !ok {
				return "", errors.New("want a list of texts")
			}
			parts[i] = text
		}
		return strings.Join(parts, ";"), nil
	}
	return "", errors.New("want a text, a number or a list of texts")
}

func utf8Clean(r *Row) bool {
	for _, s := range append([]string{r.File, r.Title, r.Artist, r.Date, r.Medium, r.Licence, r.LicenceURL, r.Credit, r.Page, r.ExternalID}, r.Categories...) {
		if strings.ToValidUTF8(s, "\uFFFD") != s {
			return false
		}
	}
	return true
}
