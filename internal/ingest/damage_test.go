package ingest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
)

// damagedFiles are files that are shown though some of them is missing or
// wrong, with a part of what is said of each.
func damagedFiles(t *testing.T) map[string]struct {
	content []byte
	format  string
	want    string
} {
	t.Helper()
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join("..", "picture", "testdata", "jpeg", name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	part := append([]byte("\x00\x00\x00\x04tEXtA\x00a?"), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(part[12:], ^crc32.ChecksumIEEE(part[4:12]))
	plain := painting(77)
	return map[string]struct {
		content []byte
		format  string
		want    string
	}{
		"cut":     {read("damaged-cut.jpg"), "jpeg", "its data end after "},
		"restart": {read("damaged-restart-missing.jpg"), "jpeg", "the rest is grey"},
		"text":    {bytes.Join([][]byte{plain[:33], part, plain[33:]}, nil), "png", `its part "tEXt"`},
		"whole":   {painting(78), "png", ""},
	}
}

func (f *fixture) wantDamage(name string, content []byte, decoded bool, want string) {
	f.t.Helper()
	image, err := f.catalog.Image(f.t.Context(), palate.NewImageID(sha256.Sum256(content)))
	f.ok("Image", err)
	if image.Decoded != decoded || !strings.Contains(image.Damage, want) || (image.Damage == "") != (want == "") {
		f.t.Errorf("%s: decoded %v, damage %q; want %v, %q", name, image.Decoded, image.Damage, decoded, want)
	}
}

func TestWhoDecodesAPictureKeepsItsDamage(t *testing.T) {
	for _, way := range []string{"upload", "import", "adopt", "crawl"} {
		t.Run(way, func(t *testing.T) {
			f := newFixture(t)
			dir := t.TempDir()
			for name, file := range damagedFiles(t) {
				var err error
				switch way {
				case "upload":
					_, err = f.collection.Add(t.Context(), file.content, palate.Source{Site: "upload"})
				case "import":
					writeFile(t, filepath.Join(dir, name+"."+file.format), file.content)
				case "adopt":
					_, err = f.store.Put(t.Context(), bytes.NewReader(file.content), 1<<20)
				case "crawl": // as package crawler decodes what is cut
					f.keep(name, file.content, crawler.Find{Format: file.format, Decoded: true, Damage: file.want})
				}
				f.ok(name, err)
			}
			switch way {
			case "import":
				report, err := f.collection.Import(t.Context(), ingest.Import{Files: scan(t, dir), Mode: ingest.Copy, Profile: "me"})
				if err != nil || report.Kept != 4 || report.Damaged != 3 {
					t.Errorf("%+v, %v; want 4 kept, 3 of them damaged", report, err)
				}
			case "adopt":
				_, err := f.collection.Adopt(t.Context(), nil)
				f.ok("Adopt", err)
			}
			for name, file := range damagedFiles(t) {
				f.wantDamage(name, file.content, true, file.want)
			}
			if got, err := f.catalog.CountDamage(t.Context()); err != nil || got != (catalog.DamageCount{Damaged: 3}) {
				t.Errorf("%+v, %v; want 3 damaged", got, err)
			}
		})
	}
}

// keep takes a file as a crawl does.
func (f *fixture) keep(name string, content []byte, find crawler.Find) {
	f.t.Helper()
	address := "https://museum.example/" + name
	_, err := f.catalog.BeginCrawl(f.t.Context(), name, []crawler.Task{{Kind: crawler.Image, URL: address}})
	f.ok("BeginCrawl", err)
	tasks, _, err := f.catalog.NextTasks(f.t.Context(), name, 1)
	f.ok("NextTasks", err)
	find.Content, find.Width, find.Height, find.Source = content, 61, 45, palate.Source{Address: address, Site: "museum.example"}
	_, _, err = f.collection.Keep(f.t.Context(), name, tasks[0], find)
	f.ok("Keep", err)
}

// What a crawl took by its structure, and what an older palate took, is known
// once it is embedded, or looked at.
func TestDamageIsHeardWhenAPictureIsDecodedLater(t *testing.T) {
	for _, way := range []string{"embed", "look"} {
		t.Run(way, func(t *testing.T) {
			f := newFixture(t)
			for name, file := range damagedFiles(t) {
				f.keep(name, file.content, crawler.Find{Format: file.format})
				f.wantDamage(name, file.content, false, "")
			}
			f.keep("broken", painting(79)[:100], crawler.Find{Format: "png"})
			switch way {
			case "embed":
				if report := f.embed(); report.Embedded != 4 || report.Failed != 1 {
					t.Errorf("%+v; want 4 embedded, 1 failed", report)
				}
			case "look":
				told := 0
				look, err := f.collection.LookForDamage(t.Context(), func(done, total int) { told = done + total })
				if want := (ingest.DamageLook{Decoded: 4, Damaged: 3, Unreadable: 1}); err != nil || look != want || told != 5+5 {
					t.Errorf("%+v, %v, told %d; want %+v", look, err, told, want)
				}
			}
			for name, file := range damagedFiles(t) {
				f.wantDamage(name, file.content, true, file.want)
			}
			f.wantDamage("broken", painting(79)[:100], false, "")
			again, err := f.collection.LookForDamage(t.Context(), nil)
			if want := (ingest.DamageLook{Unreadable: 1}); err != nil || again != want {
				t.Errorf("again: %+v, %v; want %+v", again, err, want)
			}
		})
	}
}
