package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/picture/picturetest"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

func TestWrongUsageIsToldWithExitCodeTwo(t *testing.T) {
	folder, home := t.TempDir(), program.EmptyHome(t)
	for _, c := range []struct {
		name  string
		args  []string
		hints []string
	}{
		{"unknown flag", []string{"train", "--sharp"}, []string{"--sharp", "palate --help"}},
		{"unknown command", []string{"paint"}, []string{"paint", "palate --help"}},
		{"missing argument", []string{"similar"}, []string{"<image>"}},
		{"no number", []string{"scores", "--limit", "many"}, []string{"--limit", "many"}},
		{"profile", []string{"scores", "--profile", "Me & You"}, []string{`"Me & You"`, "a-z"}},
		{"limit", []string{"scores", "--limit", "0"}, []string{"--limit is 0", "1 to"}},
		{"limit of similar", []string{"similar", "x", "--limit", "1001"}, []string{"--limit is 1001"}},
		{"alike", []string{"scores", "--collapse", "0.5"}, []string{"--collapse is 0.5", "0.9 to 0.998"}},
		{"piles", []string{"sort", folder, "--liked-from", "1.5"}, []string{"--liked-from is 1.5", "0 to 1"}},
		{"rate what", []string{"rate", "like"}, []string{"like|dislike|skip|clear IMAGE"}},
		{"undo of an image", []string{"rate", "undo", "x"}, []string{"palate rate undo"}},
		{"six stars", []string{"rate", "--stars", "6", "x"}, []string{"--stars is 6", "1 to 5"}},
		{"stars of a clear", []string{"rate", "clear", "x", "--stars", "2"}, []string{"--stars", "clear"}},
		{"stars of nothing", []string{"rate", "--stars", "2", "like"}, []string{"--stars N IMAGE"}},
		{"verdict", []string{"rate", "love", "x"}, []string{"love", "like"}},
		{"no image", []string{"rate", "like", filepath.Join(folder, "none.jpg")}, []string{"none.jpg"}},
		{"both verdicts", []string{"import", folder, "--like", "--dislike"}, []string{"--like", "--dislike"}},
		{"store", []string{"import", folder, "--store", "burn"}, []string{"burn", "copy"}},
		{"crawl of nothing", []string{"crawl"}, []string{"commons:Category:"}},
		{"crawl of no address", []string{"crawl", "not an address", "--contact", "me@example.org"}, []string{"not an address"}},
		{"crawl without a contact", []string{"crawl", "https://example.org/gallery/"}, []string{"--contact"}},
		{"crawl of two things", []string{"crawl", "https://example.org/", "--museum", "127.0.0.1:1"}, []string{"--museum"}},
		{"museum of nothing", []string{"museum", "--pictures", "0"}, []string{"0 pictures"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			program.MustFail(t, exitUsage, c.hints, append(c.args, "--data", home)...)
		})
	}
}

func TestWhatFailsIsToldInOneLine(t *testing.T) {
	race.Long(t)
	file := filepath.Join(t.TempDir(), "file")
	program.WriteFile(t, file, []byte("no folder, no picture"))
	home := program.EmptyHome(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	pagesOnly := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!DOCTYPE html><title>Words</title><p>No picture, but <a href="/more">more words</a>.`)
	}))
	defer pagesOnly.Close()
	large := filepath.Join(t.TempDir(), "large.jpg")
	program.WriteFile(t, large, picturetest.JPEG{Across: 2, Down: 2}.Encode(picturetest.Photograph(1100, 1000, 1)))
	for _, c := range []struct {
		name  string
		args  []string
		hints []string
	}{
		{"port in use", []string{"serve", "--addr", busy.Addr().String()}, []string{"address already in use", "--addr"}},
		{"port in use by the demo", []string{"demo", "--addr", busy.Addr().String()}, []string{"address already in use", "--addr"}},
		{"folder below a file", []string{"train", "--data", filepath.Join(file, "home")}, []string{file, "--data"}},
		{"train without ratings", []string{"train"}, []string{"5 more likes and 5 more dislikes", "palate rate like IMAGE"}},
		{"scores without a probe", []string{"scores"}, []string{"palate train"}},
		{"sort without a probe", []string{"sort", t.TempDir()}, []string{"palate train"}},
		{"no picture", []string{"embed", file}, []string{file}},
		{"no file", []string{"embed", file + "-none"}, []string{file + "-none"}},
		{"import of no picture", []string{"import", file}, []string{"none of 1 files", "not_an_image"}},
		{"import of a large picture", []string{"import", "--max-pixels", "1", large}, []string{"too_many_pixels"}},
		{"too many pixels asked for", []string{"import", "--max-pixels", "9999999999999", large}, []string{"--max-pixels", "megapixels"}},
		{"import of nothing there", []string{"import", file + "-none"}, []string{file + "-none"}},
		{"undo of nothing", []string{"rate", "undo"}, []string{"no rating to undo"}},
		{"image that is not there", []string{"rate", "like", "00000000-0000-8000-8000-000000000000"}, []string{"00000000-0000-8000-8000-000000000000", "not found"}},
		{"neighbours of an image that is not there", []string{"similar", "00000000-0000-8000-8000-000000000000"}, []string{"not found"}},
		{"model", []string{"train", "--model", file + ".onnx"}, []string{file + ".onnx"}},
		{"crawl of pages without pictures", []string{"crawl", "--museum", pagesOnly.Listener.Addr().String()}, []string{"2 pages", "0 candidates"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			program.MustFail(t, exitFailed, c.hints, append([]string{"--data", home}, c.args...)...)
		})
	}
}

func TestACatalogThatCanNotBeUsedIsLeftAlone(t *testing.T) {
	corrupt, newer := t.TempDir(), t.TempDir()
	program.WriteFile(t, filepath.Join(corrupt, collection.CatalogFile), []byte(strings.Repeat("This is no database. ", 1000)))
	program.MustRun(t, "import", "--data", newer, program.MuseumPictures(t, 1))
	setUserVersion(t, filepath.Join(newer, collection.CatalogFile), 999)
	for _, c := range []struct {
		name, folder string
		hints        []string
	}{
		{"corrupt", corrupt, []string{collection.CatalogFile, "database"}},
		{"newer", newer, []string{collection.CatalogFile, "newer", "999"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, err := os.ReadFile(filepath.Join(c.folder, collection.CatalogFile))
			if err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"train"}, {"rate", "undo"}, {"serve", "--addr", "127.0.0.1:0"}, {"import", program.MuseumPictures(t, 1)}} {
				program.MustFail(t, exitFailed, c.hints, append(args, "--data", c.folder)...)
			}
			if after, err := os.ReadFile(filepath.Join(c.folder, collection.CatalogFile)); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed (%v)", err)
			}
			if r := program.RunPalate(t, "doctor", "--data", c.folder); r.Code != exitFailed || !strings.Contains(r.Out, "PROBLEM") {
				t.Errorf("doctor: got exit code %d and %q, want the problem", r.Code, r.Out)
			}
		})
	}
}

// setUserVersion writes the schema's version into a closed SQLite file, where
// its header has it: https://www.sqlite.org/fileformat2.html#user_version_number
func setUserVersion(t *testing.T, name string, version uint32) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(content[60:], version)
	program.WriteFile(t, name, content)
}
