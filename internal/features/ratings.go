package features

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/regular"
	"github.com/palate-art/palate/probe"
)

// maxRatingsBytes bounds a table of ratings as text.
const maxRatingsBytes = 512 << 20

// The names that columns of a table of ratings go by, in lower case.
var (
	raterColumns  = []string{"rater", "worker", "user", "annotator"}
	ratingColumns = []string{"rating", "score", "grade", "stars"}
	rowColumns    = []string{"row"}
	imageColumns  = []string{"image", "image_path", "imagepair", "imagename", "image_name", "filename", "file", "path", "id", "url"}
)

// EvaluateRaters judges how well each rater's ratings in a table (CSV, NDJSON
// or Parquet, with columns rater, rating and row or image) are told from a few
// of them, see probe.JudgeRaters. Rows are counted from 0; images are found by
// the names beside the features.
func (f Files) EvaluateRaters(ctx context.Context, table string, config probe.RatersConfig) (*probe.RatersReport, error) {
	began := time.Now()
	rows, names, err := loadNamed(f.Features)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if err := normalise(row, i, f.Features); err != nil {
			return nil, err
		}
	}
	ratings, err := Ratings(table, len(rows), names)
	if err != nil {
		return nil, err
	}
	r, err := probe.JudgeRaters(ctx, rows, ratings, config)
	if err != nil {
		return nil, err
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

// loadNamed reads features with the names beside them, or nil.
func loadNamed(path string) ([][]float32, []string, error) {
	t, err := loadFeatures(path)
	if err != nil {
		return nil, nil, err
	}
	names := t.names
	t.Labels, t.Artists, t.Sites = make([]bool, len(t.Rows)), nil, nil
	if err := t.check(path); err != nil {
		return nil, nil, err
	}
	if len(names) != len(t.Rows) {
		names = nil
	}
	return t.Rows, names, nil
}

// Ratings reads a table of ratings of so many rows with these names, which may
// be nil. palate.ErrInvalid says which line and column is wrong.
func Ratings(table string, rows int, names []string) ([]probe.Rating, error) {
	r := &ratings{file: table, rows: rows}
	r.name(names)
	var err error
	switch strings.ToLower(filepath.Ext(table)) {
	case ".csv":
		err = r.csv()
	case ".ndjson", ".jsonl":
		err = r.ndjson()
	case ".parquet":
		err = Texts(table, func(row int64, names, values []string) error {
			return r.add(fmt.Sprintf("row %d", row), names, values)
		})
	default:
		err = invalid("%s is none of .csv, .ndjson, .jsonl and .parquet", table)
	}
	if err == nil && len(r.all) == 0 {
		err = invalid("%s has no ratings", table)
	}
	return r.all, err
}

// ratings are a table while it is read.
type ratings struct {
	file  string
	rows  int
	named map[string]int // rows by name and by its last part; -1 is of several
	all   []probe.Rating
}

func (r *ratings) name(names []string) {
	if names == nil {
		return
	}
	r.named = make(map[string]int, 2*len(names))
	put := func(name string, row int) {
		if other, there := r.named[name]; there && other != row {
			row = -1
		}
		r.named[name] = row
	}
	for i, name := range names {
		put(name, i)
	}
	for i, name := range names {
		if base := lastOf(name); base != name {
			put(base, i)
		}
	}
}

// lastOf is the name of a file, as any system writes its path.
func lastOf(name string) string { return path.Base(strings.ReplaceAll(name, "\\", "/")) }

func (r *ratings) csv() error {
	content, err := regular.ReadFile(r.file, maxRatingsBytes)
	if err != nil {
		return err
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))))
	reader.ReuseRecord = true
	var header []string
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalid("%s: %v", r.file, err)
		}
		if header == nil {
			for _, name := range record {
				header = append(header, strings.ToLower(strings.TrimSpace(name)))
			}
			continue
		}
		line, _ := reader.FieldPos(0)
		if err := r.add(fmt.Sprintf("line %d", line), header, record); err != nil {
			return err
		}
	}
}

func (r *ratings) ndjson() error {
	content, err := regular.ReadFile(r.file, maxRatingsBytes)
	if err != nil {
		return err
	}
	line := 0
	for text := range bytes.Lines(content) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var object map[string]any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber() // an id may have more digits than a float64 holds
		if err := decoder.Decode(&object); err != nil {
			return invalid("%s, line %d: no JSON object (%v)", r.file, line, err)
		}
		var names, values []string
		for _, name := range slices.Sorted(maps.Keys(object)) {
			text := ""
			switch v := object[name].(type) {
			case nil:
			case string:
				text = v
			case json.Number:
				text = v.String()
			default:
				continue // lists and objects are no columns of ratings
			}
			names, values = append(names, strings.ToLower(name)), append(values, text)
		}
		if err := r.add(fmt.Sprintf("line %d", line), names, values); err != nil {
			return err
		}
	}
	return nil
}

// add takes one line of the table.
func (r *ratings) add(where string, names, values []string) error {
	column := func(wanted []string) (name, value string, there bool) {
		for _, name := range wanted {
			if i := slices.Index(names, name); i >= 0 {
				return name, strings.TrimSpace(values[i]), true
			}
		}
		return wanted[0], "", false
	}
	wrong := func(column, format string, args ...any) error {
		return invalid("%s, %s, column %s: %s", r.file, where, column, fmt.Sprintf(format, args...))
	}
	name, rater, there := column(raterColumns)
	if !there {
		return invalid("%s, %s: there is no column rater (the columns are %s)", r.file, where, strings.Join(names, ", "))
	}
	if rater == "" {
		return wrong(name, "it is empty")
	}
	name, text, there := column(ratingColumns)
	if !there {
		return invalid("%s, %s: there is no column rating (the columns are %s)", r.file, where, strings.Join(names, ", "))
	}
	grade, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(grade) || math.IsInf(grade, 0) {
		return wrong(name, "%.40q is no number", text)
	}
	rating := probe.Rating{Rater: rater, Grade: grade}
	if name, text, there = column(rowColumns); there {
		if rating.Row, err = strconv.Atoi(text); err != nil || rating.Row < 0 || rating.Row >= r.rows {
			return wrong(name, "%.40q is none of the rows 0 to %d of the features", text, r.rows-1)
		}
	} else if name, text, there = column(imageColumns); !there {
		return invalid("%s, %s: there is no column row or image (the columns are %s)", r.file, where, strings.Join(names, ", "))
	} else if rating.Row, err = r.find(text); err != nil {
		return wrong(name, "%v", err)
	}
	r.all = append(r.all, rating)
	return nil
}

// find is the row of an image.
func (r *ratings) find(image string) (int, error) {
	if r.named == nil {
		return 0, errors.New("the features have no names beside them (a column image in .parquet, or the metadata of clip-retrieval's folder): give a column row instead, counted from 0")
	}
	row, there := r.named[image]
	if !there {
		row, there = r.named[lastOf(image)]
	}
	switch {
	case !there:
		return 0, fmt.Errorf("no row of the features is named %.200q", image)
	case row < 0:
		return 0, fmt.Errorf("several rows of the features are named %.200q", image)
	}
	return row, nil
}
