package sqlite_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
)

func picture(n int) catalog.Image {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: 1, Format: "png", Width: 1, Height: 1}
}

func sourceOf(n int) palate.Source {
	return palate.Source{Address: fmt.Sprintf("https://example/%d", n), Site: "example", Title: fmt.Sprint("Picture ", n)}
}

// raw opens the file beside the catalog, as another program would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func value[T any](t *testing.T, db *sql.DB, query string) (v T) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// wantError fails unless err is of the kind, is one line and has the words.
func wantError(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got error %v, want %v", err, kind)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has more than one line", err)
	}
}

func TestAFileIsAsThePackageSays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "häßlich #1?%20.db")
	c := open(t, path)
	if _, err := c.AddImage(t.Context(), picture(1), sourceOf(1), nil); err != nil {
		t.Fatal(err)
	}
	if c.Path() != path {
		t.Errorf("got path %q, want %q", c.Path(), path)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is not where it was asked for: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	bytes, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(copied, bytes, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, copied)
	for pragma, want := range map[string]string{"application_id": "1347174740", "user_version": fmt.Sprint(newest(t)), "journal_mode": "wal", "page_size": "16384"} {
		if got := value[string](t, db, "PRAGMA "+pragma); got != want {
			t.Errorf("%s: got %s, want %s", pragma, got, want)
		}
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	_ = open(t, path).Close()
	mustExec(t, raw(t, path), "PRAGMA user_version = 99")
	_, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
	wantError(t, err, palate.ErrConflict, path, "version 99", fmt.Sprintf("up to %d", newest(t)), "newer palate")
	if got := value[int](t, raw(t, path), "PRAGMA user_version"); got != 99 {
		t.Errorf("the refused file has version %d, want 99", got)
	}
}

func TestWhatIsNoPalateDatabaseIsRefused(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "letter.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("Dear Theo, ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(folder, "other.db")
	mustExec(t, raw(t, other), "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')")
	for _, path := range []string{text, other} {
		before, _ := os.ReadFile(path)
		_, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
		wantError(t, err, palate.ErrInvalid, path, "no palate database", "move it away")
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s was changed by the refused Open", path)
		}
	}
}

func TestADamagedDatabaseIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	for n := range 200 {
		if _, err := c.AddImage(t.Context(), picture(n), sourceOf(n), nil); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close()
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut in the middle":   func(b []byte) []byte { return b[:len(b)/2] },
		"schema overwritten":  func(b []byte) []byte { clear(b[100:8000]); return b },
		"all pages but first": func(b []byte) []byte { clear(b[16384:]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "damaged.db")
			if err := os.WriteFile(path, damage([]byte(string(sound))), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
			if err == nil {
				defer func() { _ = c.Close() }()
				if problems, bad := c.Check(t.Context()); bad == nil && len(problems) == 0 {
					t.Error("Check finds nothing wrong")
				}
				_, err = c.ListImages(t.Context(), catalog.ImageQuery{Limit: 1000})
			}
			wantError(t, err, palate.ErrUnavailable, path, "damaged", "palate restore")
		})
	}
}

func TestASoundDatabaseChecksAsSuch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	if _, err := c.AddImage(t.Context(), picture(1), sourceOf(1), nil); err != nil {
		t.Fatal(err)
	}
	if problems, err := c.Check(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("got %q and error %v, want no problems", problems, err)
	}
	mustExec(t, raw(t, path), "PRAGMA foreign_keys = OFF", "INSERT INTO sources SELECT 77, 78, address, page, site, external_id, original_name, title, artist, year, date, medium, licence, licence_url, credit, retrieved_at, search FROM sources")
	if problems, err := c.Check(t.Context()); err != nil || len(problems) != 1 || !strings.Contains(problems[0], "sources") {
		t.Errorf("orphan: got %q and error %v, want one problem", problems, err)
	}
}

func TestAPlaceThatCantBeWrittenIsReported(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"folder is a file": filepath.Join(file, "catalog.db"),
		"path is a folder": folder,
	} {
		_, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
		if err == nil {
			t.Fatalf("%s: Open gave no error", name)
		}
		wantError(t, err, palate.ErrUnavailable, "can't be written", "choose another data folder")
	}
}

// A page limit makes SQLite say SQLITE_FULL as a full disk does.
func TestAFullDiskKeepsNothingOfTheCall(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "catalog.db")
	cfg := sqlite.DefaultConfig()
	cfg.MaxBytes = 2 << 20
	c, err := sqlite.Open(ctx, path, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	kept := 0
	for ; err == nil; kept++ {
		s := sourceOf(kept)
		s.Credit = strings.Repeat("long ", 20_000)
		_, err = c.AddImage(ctx, picture(kept), s, nil)
	}
	kept--
	wantError(t, err, palate.ErrUnavailable, path, "is full", "free some space")
	if got, err := c.CountImages(ctx, index.Filter{}); err != nil || got != kept || kept == 0 {
		t.Errorf("got %d images and error %v, want the %d acknowledged", got, err, kept)
	}
	if last, err := c.LastChange(ctx); err != nil || int(last) != kept {
		t.Errorf("got last change %d and error %v, want %d", last, err, kept)
	}
	// With space again, the same call succeeds.
	wider := open(t, path)
	if _, err := wider.AddImage(ctx, picture(kept), sourceOf(kept), nil); err != nil {
		t.Errorf("with space: %v", err)
	}
}

func TestAWriterWaitsOnlySoLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	cfg := sqlite.DefaultConfig()
	cfg.BusyTimeout = 30 * time.Millisecond
	c, err := sqlite.Open(t.Context(), path, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	db := raw(t, path)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "BEGIN IMMEDIATE")
	_, err = c.AddImage(t.Context(), picture(1), sourceOf(1), nil)
	wantError(t, err, palate.ErrUnavailable, path, "another process")
	if _, err := c.CountImages(t.Context(), index.Filter{}); err != nil {
		t.Errorf("a reader waits for the writer: %v", err)
	}
	patient := open(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = patient.AddImage(ctx, picture(1), sourceOf(1), nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled while waiting: got %v, want %v", err, context.DeadlineExceeded)
	}
	mustExec(t, db, "COMMIT")
	if _, err := c.AddImage(t.Context(), picture(1), sourceOf(1), nil); err != nil {
		t.Errorf("after the other: %v", err)
	}
}

func TestTheLogOfRatingsIsAppendOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	if _, err := c.AddImage(t.Context(), picture(1), sourceOf(1), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Rate(t.Context(), catalog.Rating{Profile: "me", Image: picture(1).ID, Verdict: palate.Like, Shown: palate.ShownAPI}); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	for _, statement := range []string{"UPDATE ratings SET verdict = 'dislike'", "DELETE FROM ratings", "REPLACE INTO ratings SELECT * FROM ratings WHERE 0 UNION ALL SELECT entry, profile, image, 'skip', stars, shown, probe_version, score, at, undoes FROM ratings"} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: got error %v, want that the log is append-only", statement, err)
		}
	}
	if got := value[string](t, db, "SELECT verdict FROM ratings"); got != "like" {
		t.Errorf("got verdict %q, want like", got)
	}
}

func TestConfigReportsAllProblemsAtOnce(t *testing.T) {
	if err := sqlite.DefaultConfig().Validate(); err != nil {
		t.Errorf("default: %v", err)
	}
	err := sqlite.Config{MaxBytes: -1}.Validate()
	for _, word := range []string{"busy time-out", "read connections", "cache", "largest size"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("got %v, want a word on %q", err, word)
		}
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.Config{}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("Open: got %v, want %v", err, palate.ErrInvalid)
	}
}
