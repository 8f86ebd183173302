package features_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
)

// FuzzParquet reads whatever bytes as a list of addresses and as features:
// rows or an error of its kind, never a crash.
func FuzzParquet(f *testing.F) {
	for _, name := range []string{"addresses", "columns", "fixed", "list"} {
		content, err := os.ReadFile(filepath.Join("testdata", name+".parquet"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<20 {
			return
		}
		path := filepath.Join(t.TempDir(), "any.parquet")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		enough := errors.New("enough")
		rows := 0
		err := features.Texts(path, func(_ int64, names, values []string) error {
			if len(names) != len(values) {
				t.Errorf("%d names and %d values", len(names), len(values))
			}
			if rows++; rows == 10_000 {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) && !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("another error: %v", err)
		}
		if _, err := features.LoadRows(path); err != nil && !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("another error: %v", err)
		}
	})
}
