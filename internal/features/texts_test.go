package features_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
)

func TestTextsOfParquetComeRowByRow(t *testing.T) {
	rows := map[int64]map[string]string{}
	err := features.Texts("testdata/addresses.parquet", func(row int64, names, values []string) error {
		rows[row] = map[string]string{}
		for i, name := range names {
			rows[row][name] = values[i]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 300 {
		t.Fatalf("%d rows, want 300", len(rows))
	}
	want := map[string]string{"url": "https://pictures.example/129.jpg", "text": "", "artist": "Anna Bell", "year": "1879", "similarity": "0.43"}
	for name, value := range want {
		if got := rows[130][name]; got != value {
			t.Errorf("row 130 has %s %q, want %q", name, got, value)
		}
	}
	if text := rows[300]["text"]; text != "Wheat field no. 299, ripe" {
		t.Errorf("the last row says %q", text)
	}
	for _, list := range []string{"tags", "embedding"} {
		if _, ok := rows[1][list]; ok {
			t.Errorf("the column of lists %s is given as text", list)
		}
	}
}

func TestTextsEndWhereTheVisitorEnds(t *testing.T) {
	enough, visits := errors.New("enough"), 0
	err := features.Texts("testdata/addresses.parquet", func(int64, []string, []string) error {
		visits++
		return enough
	})
	if !errors.Is(err, enough) || visits != 1 {
		t.Errorf("%d visits and error %v, want one and its error", visits, err)
	}
}

// Whatever is cut off or flipped, it ends with an error of its kind or with rows.
func TestBrokenParquetIsRefused(t *testing.T) {
	whole, err := os.ReadFile("testdata/addresses.parquet")
	if err != nil {
		t.Fatal(err)
	}
	read := func(content []byte) error {
		path := filepath.Join(t.TempDir(), "broken.parquet")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return features.Texts(path, func(int64, []string, []string) error { return nil })
	}
	for _, length := range []int{0, 4, 11, 100, len(whole) / 2, len(whole) - 1} {
		if err := read(whole[:length]); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("cut at %d: error %v, want %v", length, err, palate.ErrInvalid)
		}
	}
	for at := 4; at < len(whole); at += 97 {
		broken := append([]byte(nil), whole...)
		broken[at] ^= 0xff
		if err := read(broken); err != nil && !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("flipped at %d: error %v, want %v", at, err, palate.ErrInvalid)
		}
	}
}
