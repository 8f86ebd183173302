package export_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/export"
	"github.com/palate-art/palate/internal/features"
)

const (
	pictures = 503 // more than a page
	dim      = 4
	me       = palate.Profile("me")
)

var model = palate.ModelID(strings.Repeat("ab", 32))

// filled is a catalog in which every picture but each tenth is embedded; of
// seven, two are liked, one is disliked and one is skipped.
func filled(t *testing.T) (*sqlite.Catalog, []palate.ImageID, map[palate.ImageID]palate.Embedding) {
	t.Helper()
	c, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "catalog.db"), sqlite.DefaultConfig())
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	must(t, c.PutModel(t.Context(), catalog.Model{ID: model, Name: "tiny", Dim: dim}))
	var ids []palate.ImageID
	var ratings []catalog.Rating
	var vectors []catalog.ImageEmbedding
	embedded := map[palate.ImageID]palate.Embedding{}
	for i := range pictures {
		sum := sha256.Sum256(fmt.Append(nil, i))
		image := catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: 7, Format: "png", Width: 30, Height: 20}
		source := palate.Source{Address: fmt.Sprintf("https://museum.example/%d.png", i), Site: "museum.example", Title: fmt.Sprintf("Wörk, \"%d\"\n=1+1", i), Year: 1800 + i%200, Artist: "Ä"}
		if i%3 == 0 {
			source.Title, source.OriginalName, source.Year = "", fmt.Sprintf("%d.png", i), 0
		}
		if image.Decoded = true; i%7 == 1 {
			image.Damage = "its data end early"
		}
		_, err := c.AddImage(t.Context(), image, source, nil)
		must(t, err)
		ids = append(ids, image.ID)
		if verdict := []palate.Verdict{palate.Like, palate.Dislike, palate.Like, palate.Skip, "", "", ""}[i%7]; verdict != "" {
			ratings = append(ratings, catalog.Rating{Profile: me, Image: image.ID, Verdict: verdict, Shown: palate.ShownAPI})
		}
		if i%10 != 0 {
			angle := float64(i)
			e := palate.Embedding{float32(math.Sin(angle)), float32(math.Cos(angle)), 0, 0}
			embedded[image.ID] = e
			vectors = append(vectors, catalog.ImageEmbedding{ID: image.ID, Embedding: e})
		}
	}
	must(t, c.RateAll(t.Context(), ratings))
	must(t, c.PutEmbeddings(t.Context(), model, vectors))
	return c, ids, embedded
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryPictureIsWritten(t *testing.T) {
	c, ids, embedded := filled(t)
	var out bytes.Buffer
	rows, err := export.To(t.Context(), &out, c, export.NDJSON, export.Query{Profile: me})
	must(t, err)
	if rows != pictures {
		t.Errorf("%d rows, want %d", rows, pictures)
	}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var r export.Row
		must(t, json.Unmarshal([]byte(line), &r))
		if r.ID != ids[i].String() || (r.Year == nil) != (i%3 == 0) || r.Artist != "Ä" || r.Vector != nil || (r.Damage != "") != (i%7 == 1) || (r.RatedAt != nil) != (i%7 < 4) {
			t.Fatalf("line %d is %s", i, line)
		}
		if i%3 == 0 && r.Title != fmt.Sprint(i) {
			t.Errorf("%d is called %q, want its file's name", i, r.Title)
		}
	}

	out.Reset()
	_, err = export.To(t.Context(), &out, c, export.CSV, export.Query{Profile: me, Rated: true})
	must(t, err)
	table, err := csv.NewReader(&out).ReadAll()
	must(t, err)
	if want := rated(pictures); len(table) != want+1 || table[0][0] != "image_id" {
		t.Errorf("%d lines of CSV, want %d under their names", len(table), want)
	}
	if title := table[2][slices.Index(table[0], "title")]; title != "Wörk, \"1\"\n=1+1" {
		t.Errorf("a title came back as %q", title)
	}
	if damage := table[2][slices.Index(table[0], "damage")]; damage != "its data end early" {
		t.Errorf("a damage came back as %q", damage)
	}

	out.Reset()
	rows, err = export.To(t.Context(), &out, c, export.NDJSON, export.Query{Profile: me, Model: model, Dim: dim})
	must(t, err)
	if rows != len(embedded) {
		t.Errorf("%d rows with embeddings, want %d", rows, len(embedded))
	}
}

func rated(n int) (count int) {
	for i := range n {
		if i%7 < 3 {
			count++
		}
	}
	return count
}

// What is written with embeddings and verdicts, palate evaluate reads.
func TestEvaluateReadsWhatIsWritten(t *testing.T) {
	c, ids, embedded := filled(t)
	var want [][]float32
	var labels []bool
	for i, id := range ids {
		if e := embedded[id]; e != nil && i%7 < 3 {
			want, labels = append(want, e), append(labels, i%7 != 1)
		}
	}
	folder := t.TempDir()
	q := export.Query{Profile: me, Rated: true, Model: model, Dim: dim}
	for _, name := range []string{"out.npz", "out.parquet", "out"} {
		path := filepath.Join(folder, name)
		format, err := export.FormatOf(path)
		must(t, err)
		rows := 0
		if format == export.Clip {
			rows, err = export.ToFolder(t.Context(), path, c, q)
		} else {
			file, createErr := os.Create(path)
			must(t, createErr)
			rows, err = export.To(t.Context(), file, c, format, q)
			must(t, file.Close())
		}
		must(t, err)
		got, err := features.Load(path, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if rows != len(want) || !slices.Equal(got.Labels, labels) || !slices.EqualFunc(got.Rows, want, slices.Equal[[]float32]) {
			t.Errorf("%s: read %d rows of the %d written; want the same embeddings and labels", name, len(got.Rows), rows)
		}
	}
	if _, err := export.ToFolder(t.Context(), filepath.Join(folder, "out"), c, q); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("a folder with something in it: %v, want ErrConflict", err)
	}
}

func TestWhatCanNotBeWrittenIsRefused(t *testing.T) {
	c, _, _ := filled(t)
	for name, test := range map[string]struct {
		format export.Format
		query  export.Query
	}{
		"embeddings in CSV":           {export.CSV, export.Query{Model: model, Dim: dim}},
		"NumPy without a model":       {export.NPZ, export.Query{}},
		"a folder as a stream":        {export.Clip, export.Query{Model: model, Dim: dim}},
		"embeddings of another width": {export.NPZ, export.Query{Model: model, Dim: 3}},
		"no format":                   {"xml", export.Query{}},
	} {
		if _, err := export.To(t.Context(), &bytes.Buffer{}, c, test.format, test.query); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if _, err := export.FormatOf("likes.xlsx"); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("an unknown ending: %v", err)
	}
}
