package sqlite_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
)

// A reader that stays for long lets the write-ahead log grow; once it has
// gone, the file is cut again.
func TestTheLogIsCutAfterALongReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reader, err := sql.Open("sqlite3", "file://"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	long, err := reader.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := long.QueryRow("SELECT count(*) FROM images").Scan(&n); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	write := func(from, to int) {
		for i := from; i < to; i++ {
			sum := sha256.Sum256(fmt.Append(nil, i))
			image := catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: 1, Format: "png", Width: 1, Height: 1}
			source := palate.Source{Address: fmt.Sprintf("https://a.example/%d", i), Site: "a.example", Credit: strings.Repeat("x", 15_000)}
			if _, err := c.AddImage(t.Context(), image, source, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	// SQLite moves the log into the database from 1,000 pages on, 16 MiB.
	for i := 0; size() < 18<<20 && i < 2000; i += 50 {
		write(i, i+50)
	}
	grown := size()
	if grown < 18<<20 {
		t.Fatalf("the log has %d bytes only", grown)
	}
	if err := long.Rollback(); err != nil {
		t.Fatal(err)
	}
	write(5000, 5003)
	if after := size(); after > 9<<20 {
		t.Errorf("after the reader the log has %d of %d bytes, want at most 9 MiB", after, grown)
	}
}
