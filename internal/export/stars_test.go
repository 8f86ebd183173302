package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/export"
)

// Stars come out of every format as they were given: to a reader of the format
// that knows nothing of palate, and to palate's own of ratings.
func TestStarsComeBackFromEveryFormat(t *testing.T) {
	c, ids, _ := filled(t)
	want := map[string]int32{} // of five pictures; others are liked without stars
	for i, id := range ids[7:12] {
		stars := palate.Stars(i + 1)
		_, err := c.Rate(t.Context(), catalog.Rating{Profile: me, Image: id, Verdict: stars.Verdict(), Stars: stars, Shown: palate.ShownAPI})
		must(t, err)
		want[id.String()] = int32(stars)
	}
	written := func(format export.Format) []byte {
		t.Helper()
		var out bytes.Buffer
		_, err := export.To(t.Context(), &out, c, format, export.Query{Profile: me})
		must(t, err)
		return out.Bytes()
	}
	same := func(format export.Format, got map[string]int32, rows int) {
		t.Helper()
		if rows != pictures || len(got) != len(want) {
			t.Errorf("%s: got stars of %d among %d rows, want %d among %d", format, len(got), rows, len(want), pictures)
		}
		for id, stars := range want {
			if got[id] != stars {
				t.Errorf("%s: %s has %d stars, want %d", format, id, got[id], stars)
			}
		}
	}

	type columns struct {
		Image   string `parquet:"image_id"`
		Verdict string `parquet:"verdict"`
		Stars   *int32 `parquet:"stars,optional"`
	}
	file := written(export.Parquet)
	rows, err := parquet.Read[columns](bytes.NewReader(file), int64(len(file)))
	must(t, err)
	got := map[string]int32{}
	for _, r := range rows {
		if r.Stars != nil {
			got[r.Image] = *r.Stars
			if verdict := palate.Stars(*r.Stars).Verdict(); palate.Verdict(r.Verdict) != verdict {
				t.Errorf("Parquet: %d stars beside the verdict %v, want %s", *r.Stars, r.Verdict, verdict)
			}
		}
	}
	same(export.Parquet, got, len(rows))

	lines := strings.Split(strings.TrimSpace(string(written(export.NDJSON))), "\n")
	got = map[string]int32{}
	for _, line := range lines {
		var r struct {
			Image string `json:"image_id"`
			Stars *int32 `json:"stars"`
		}
		must(t, json.Unmarshal([]byte(line), &r))
		if r.Stars != nil {
			got[r.Image] = *r.Stars
		}
	}
	same(export.NDJSON, got, len(lines))

	table, err := csv.NewReader(bytes.NewReader(written(export.CSV))).ReadAll()
	must(t, err)
	got = map[string]int32{}
	column := slices.Index(table[0], "stars")
	for _, record := range table[1:] {
		if text := record[column]; text != "" {
			got[record[0]] = int32(text[0] - '0')
		}
	}
	same(export.CSV, got, len(table)-1)

	for _, format := range []export.Format{export.NDJSON, export.CSV} {
		said, err := export.Verdicts(bytes.NewReader(written(format)), format)
		must(t, err)
		got = map[string]int32{}
		for _, s := range said {
			if s.Stars != 0 {
				got[s.Image.String()] = int32(s.Stars)
			}
		}
		same(format, got, pictures)
	}
}
