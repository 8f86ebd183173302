package ingest_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

// blank is a PNG of two colours, of which little is stored.
func blank(t *testing.T, width, height int) []byte {
	t.Helper()
	var file bytes.Buffer
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White})
	m.Pix[0] = 1
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// upTo is a further collection on f's catalog and store with limits of its own.
func (f *fixture) upTo(pixels int64) *ingest.Collection {
	f.t.Helper()
	c, err := ingest.NewCollection(f.catalog, f.store, picture.DefaultLimits()).UpTo(pixels)
	f.ok("UpTo", err)
	return c
}

// The owner says how large an own picture may be; a refusal says how large it
// is, what is allowed and what allows more. What was let in is read afterwards
// whatever is said.
func TestTheOwnerSaysHowLargeAPictureMayBe(t *testing.T) {
	race.Long(t) // 50 megapixels are decoded
	f := newFixture(t)
	large, upload := blank(t, 7100, 7100), palate.Source{Site: "upload"}
	_, err := f.collection.Add(t.Context(), large, upload)
	var limit *picture.LimitError
	if !errors.As(err, &limit) || !errors.Is(err, palate.ErrInvalid) {
		t.Fatalf("50.4 megapixels: got %v, want a limit", err)
	}
	for _, part := range []string{"50.4 megapixels", "at most 50.0 megapixels", "--max-pixels"} {
		if !strings.Contains(palate.Message(err), part) {
			t.Errorf("got %q, want it to say %q", palate.Message(err), part)
		}
	}
	if _, err := f.upTo(51_000_000).Add(t.Context(), large, upload); err != nil {
		t.Errorf("up to 51 megapixels: %v", err)
	}

	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "a.png"), blank(t, 1300, 1000))
	report, err := f.upTo(1_000_000).Import(t.Context(), ingest.Import{Files: scan(t, dir), Mode: ingest.Copy})
	f.ok("import", err)
	wantReport(t, report, ingest.ImportReport{Seen: 1, Lost: map[string]int{"too_many_pixels": 1}})
	if what := report.Examples["too_many_pixels"]; !strings.Contains(what, "1.3 megapixels") || !strings.Contains(what, "--max-pixels") {
		t.Errorf("got %q, want the size and the option", what)
	}
	report, err = f.upTo(2_000_000).Import(t.Context(), ingest.Import{Files: scan(t, dir), Mode: ingest.Copy})
	f.ok("import", err)
	wantReport(t, report, ingest.ImportReport{Seen: 1, Kept: 1, Lost: map[string]int{}})
	stored := 0
	f.ok("images", f.store.Walk(t.Context(), func(id palate.ImageID) error {
		stored++
		return f.upTo(1_000_000).Read(t.Context(), id, picture.Reading{Short: 64}, func(*picture.RGB) error { return nil })
	}))
	if stored != 2 {
		t.Errorf("%d pictures were let in, want 2", stored)
	}
	// What more than the usual 200 megapixels were allowed for as well.
	narrow := picture.DefaultLimits()
	narrow.MaxPixels, narrow.MaxBytes = 1_000_000, 1000
	f.ok("images", f.store.Walk(t.Context(), func(id palate.ImageID) error {
		return ingest.NewCollection(f.catalog, f.store, narrow).Read(t.Context(), id, picture.Reading{Short: 64}, func(*picture.RGB) error { return nil })
	}))
	for _, pixels := range []int64{-1, 1<<32 + 1} {
		if _, err := ingest.NewCollection(f.catalog, f.store, picture.DefaultLimits()).UpTo(pixels); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "--max-pixels") {
			t.Errorf("%d pixels: got %v, want palate.ErrInvalid and the option", pixels, err)
		}
	}
}
