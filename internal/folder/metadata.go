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
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/palate-art/palate"
)

// maxMetadataBytes bounds a metadata file: a million rows of a museum fit.
const maxMetadataBytes = 512 << 20

func isMetadata(name string) bool { return name == "metadata.csv" || name == "metadata.json" }

// table holds the rows of one metadata file by the names of files, slash-separated
// and from the metadata file's folder.
type table struct {
	name     string
	rows     map[string]*Row
	left     []string // names in the order of the file, until taken
	problems []string // with what was left out
}

// settle gives rows to files whose names differ in nothing but the form of
// their accents (NFC or NFD): macOS and archives made on it take names apart.
// names are those of one folder.
func (t *table) settle(names []string) {
	if len(t.rows) == 0 {
		return
	}
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	byForm := make(map[string]string) // rows that no file has the very name of
	for _, row := range t.left {
		if !there[row] {
			byForm[norm.NFC.String(row)] = row
		}
	}
	for _, name := range names {
		row, found := byForm[norm.NFC.String(name)]
		if _, has := t.rows[name]; !found || has {
			continue
		}
		delete(byForm, norm.NFC.String(name)) // one file, one row
		t.rows[name] = t.rows[row]
		delete(t.rows, row)
	}
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
	name := path.Clean(strings.ReplaceAll(r.File, "\\", "/")) // as Windows writes them, too
	if r.File == "" || !filepath.IsLocal(filepath.FromSlash(name)) || name == "." {
		return fmt.Errorf("%s: file %.200q: want the name of a file in the same folder or below it: %w", where, r.File, palate.ErrInvalid)
	}
	if r.problem != "" {
		t.problems = append(t.problems, where+": "+r.problem)
	}
	var said palate.Source
	r.fill(&said)
	if err := said.Validate(time.Now()); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if _, twice := t.rows[name]; twice {
		return fmt.Errorf("%s: file %.200q has a row already: %w", where, r.File, palate.ErrInvalid)
	}
	t.rows[name] = r
	t.left = append(t.left, name)
	return nil
}

// readMetadata reads the folder's metadata file; a folder without one has an
// empty table, a folder with both is palate.ErrInvalid.
func readMetadata(files Reader, dir string) (*table, error) {
	t := &table{rows: map[string]*Row{}}
	for name, parse := range map[string]func(*table, string, []byte) error{
		"metadata.csv": parseCSV, "metadata.json": parseJSON,
	} {
		at := filepath.Join(dir, name)
		content, err := readBounded(files, at, maxMetadataBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		if t.name != "" {
			return nil, fmt.Errorf("%s: metadata.csv and metadata.json stand side by side; keep one: %w", dir, palate.ErrInvalid)
		}
		t.name = at
		if err := parse(t, at, bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// readBounded reads a file of at most so many bytes; a longer one is
// palate.ErrInvalid.
func readBounded(files Reader, path string, most int64) ([]byte, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("%s has more than %d bytes: %w", path, most, palate.ErrInvalid)
	}
	return content, err
}

func parseCSV(t *table, file string, content []byte) error {
	reader := csv.NewReader(bytes.NewReader(content))
	header, err := reader.Read()
	if err != nil {
		return fmt.Errorf("%s: no header row: %w: %w", file, err, palate.ErrInvalid)
	}
	meanings, err := columnsOf(header)
	if err != nil {
		return fmt.Errorf("%s: header: %w: %w", file, err, palate.ErrInvalid)
	}
	if !slices.Contains(meanings, "file") {
		return fmt.Errorf("%s: no column \"file\" in the header (%.200q): %w", file, strings.Join(header, ", "), palate.ErrInvalid)
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %w", file, err, palate.ErrInvalid)
		}
		line, _ := reader.FieldPos(0)
		where := fmt.Sprintf("%s:%d", file, line)
		row := new(Row)
		for i, value := range record {
			if set := columns[meanings[i]]; set != nil {
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
func parseJSON(t *table, file string, content []byte) error {
	var list []map[string]any
	if err := unmarshal(content, &list); err != nil {
		var byName map[string]map[string]any
		if unmarshal(content, &byName) != nil {
			return fmt.Errorf("%s: want a list of objects, or an object of objects by file name: %w: %w", file, err, palate.ErrInvalid)
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
		where := fmt.Sprintf("%s: entry %d", file, i+1)
		row, err := jsonRow(object)
		if err != nil {
			return fmt.Errorf("%s: %w: %w", where, err, palate.ErrInvalid)
		}
		if err := t.add(row, where); err != nil {
			return err
		}
	}
	return nil
}

// unmarshal is json.Unmarshal that keeps numbers as they are written: an id
// may have more digits than a float64 holds.
func unmarshal(content []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end")
	}
	return nil
}

func jsonRow(object map[string]any) (*Row, error) {
	names := slices.Sorted(maps.Keys(object))
	meanings, err := columnsOf(names)
	if err != nil {
		return nil, err
	}
	row := new(Row)
	for i, name := range names {
		set, value := columns[meanings[i]], object[name]
		if set == nil || value == nil {
			continue
		}
		text, err := jsonText(value)
		if err != nil && judges[meanings[i]] {
			row.problem = fmt.Sprintf("%.40s: %v", name, err)
			continue
		}
		if err == nil {
			err = set(row, text)
		}
		if err != nil {
			return nil, fmt.Errorf("%.40s: %w", name, err)
		}
	}
	return row, nil
}

func jsonText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v), nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
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
	return "", errors.New("want a text, a number, true or false, or a list of texts")
}
