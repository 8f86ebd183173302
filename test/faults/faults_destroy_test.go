package faults_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// A catalog that was lost beside a full store is never taken for one that
// says that all its pictures may go.
func TestFaultCatalogLost(t *testing.T) {
	race.Long(t)
	t.Parallel()
	for name, damage := range map[string]func(string) error{
		"cut to nothing": func(path string) error { return os.Truncate(path, 0) },
		"removed":        os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			folder := oldCollection(t)
			before := pictureFiles(t, folder)
			if err := damage(filepath.Join(folder, collection.CatalogFile)); err != nil {
				t.Fatal(err)
			}
			program.StartFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder).MustRefuse("catalog was lost", "palate restore", "palate import --adopt")
			program.StartFaulty(t, "doctor", "--data", folder).MustRefuse("catalog was lost")
			program.StartFaulty(t, "import", "--data", folder, program.MuseumPictures(t, 1)).MustRefuse("catalog was lost")
			mustBeUntouched(t, folder, before)
			if info, err := os.Stat(filepath.Join(folder, collection.CatalogFile)); err == nil && info.Size() > 0 {
				t.Errorf("a refused command made a catalog of %d bytes", info.Size())
			}
		})
	}
}

// An older catalog, as a copy from last week, is noticed by the number of
// changes that the store has seen.
func TestFaultOlderCatalog(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder, pictures := t.TempDir(), program.MuseumPictures(t, 6)
	at := func(i string) string { return filepath.Join(pictures, i+".jpg") }
	program.StartFaulty(t, "import", "--data", folder, at("0"), at("1"), at("2")).MustEnd()
	older, err := os.ReadFile(filepath.Join(folder, collection.CatalogFile))
	if err != nil {
		t.Fatal(err)
	}
	program.StartFaulty(t, "import", "--data", folder, pictures).MustEnd()
	before := pictureFiles(t, folder)
	program.WriteFile(t, filepath.Join(folder, collection.CatalogFile), older)
	program.StartFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder).MustRefuse("older", "palate restore")
	program.StartFaulty(t, "doctor", "--data", folder).MustRefuse("older")
	mustBeUntouched(t, folder, before)

	refused := program.StartFaulty(t, "import", "--adopt", "--data", folder).Wait()
	if refused.Code != program.ExitUsage || !strings.Contains(refused.Err, "titles") || !strings.Contains(refused.Err, "deleted") {
		t.Errorf("without a yes: got %d and %q, want a question that says what is lost", refused.Code, refused.Err)
	}
	program.StartFaulty(t, "import", "--adopt", "--yes", "--data", folder).MustEnd()
	seen := program.LookInto(t, folder)
	seen.MustHaveFileOfEveryRow(t)
	seen.MustHaveRowOfEveryFile(t)
	if len(seen.Images) != len(before) {
		t.Errorf("got %d images after adopting, want %d", len(seen.Images), len(before))
	}
}

// A collection of before there were marks opens with everything that it had,
// and has its marks then.
func TestFaultOldCollectionOpensUnharmed(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder := oldCollection(t)
	before := pictureFiles(t, folder)
	program.StartFaulty(t, "embed", "--data", folder).MustEnd()
	mustBeUntouched(t, folder, before)
	seen := program.LookInto(t, folder)
	seen.MustHaveFileOfEveryRow(t)
	seen.MustHaveRowOfEveryFile(t)
	c, err := sqlite.Open(t.Context(), filepath.Join(folder, collection.CatalogFile), sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	images, err := c.CountImages(t.Context(), index.Filter{})
	if err != nil || images != 32 || len(seen.Embeddings) != 32 {
		t.Errorf("got %d images, %d embeddings and %v, want 32 and 32", images, len(seen.Embeddings), err)
	}
	profiles, err := c.Profiles(t.Context())
	if err != nil || len(profiles) != 1 || profiles[0].Likes != 10 || profiles[0].Dislikes != 14 || profiles[0].Skips != 1 {
		t.Errorf("got %+v and %v, want 10 likes, 14 dislikes and a skip", profiles, err)
	}
	id, err := c.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		t.Fatal(err)
	}
	if mark, err := store.Mark(t.Context()); err != nil || mark.Store == "" || mark.Store != id.Store || mark.Catalog != id.Catalog {
		t.Errorf("got the marks %+v and %+v (%v), want each other's", mark, id, err)
	}
}

// It is served with everything, and ranked by the probe that it had.
func TestOldCollectionIsServed(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder := oldCollection(t)
	before := pictureFiles(t, folder)
	p := program.StartFaulty(t, "serve", "--addr", "127.0.0.1:0", "--data", folder)
	s := program.Server{Process: p, URL: program.AwaitAddress(t, p)}
	ids := s.Images(url.Values{})
	if len(ids) != len(before) {
		t.Errorf("served: got %d images, want %d", len(ids), len(before))
	}
	for id, content := range before {
		response, err := http.Get(s.URL + "/v1/images/" + id + "/file")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(got) != content {
			t.Errorf("image %s: got status %d and %d bytes (%v), want the %d of its file", id, response.StatusCode, len(got), err, len(content))
		}
	}
	type ranking struct {
		ProbeVersion int `json:"probe_version"`
		Scores       []struct {
			Image struct {
				ID string `json:"id"`
			} `json:"image"`
		} `json:"scores"`
	}
	program.Eventually(t, "the ranking is served", func() bool { return program.GetStatus(t, s.URL+"/v1/profiles/me/scores") == http.StatusOK })
	if r := program.Get[ranking](s, "/v1/profiles/me/scores", url.Values{"limit": {"100"}}); r.ProbeVersion != 1 || len(r.Scores) != 32 || r.Scores[0].Image.ID != "3191ecd3-3f98-808f-a3e5-6ab9c5bd0919" {
		t.Errorf("got %d scores of probe %d, want 32 of the first, in its order", len(r.Scores), r.ProbeVersion)
	}
	s.Interrupt()
	mustBeUntouched(t, folder, before)
}

// A deletion by mistake is taken back with everything that the picture had.
func TestFaultDeletedByMistake(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder := oldCollection(t)
	before, files := program.LookInto(t, folder), pictureFiles(t, folder)
	id := before.Images[3].ID.String()
	file := filepath.Join(t.TempDir(), "same.jpg")
	program.WriteFile(t, file, []byte(files[id]))
	program.StartFaulty(t, "images", "delete", id, "--data", folder).MustEnd()
	mustBeUntouched(t, folder, files)
	again := program.StartFaulty(t, "import", "--data", folder, file).Wait()
	if again.Code == program.ExitDone || !strings.Contains(again.Err+again.Out, "palate images restore "+id) {
		t.Errorf("imported again: got %d and %q, want how it comes back", again.Code, again.Err+again.Out)
	}
	if listed := program.StartFaulty(t, "trash", "list", "--data", folder).MustEnd(); !strings.Contains(listed, id) {
		t.Errorf("the trash: got %q, want %s in it", listed, id)
	}
	program.StartFaulty(t, "images", "restore", id, "--data", folder).MustEnd()
	after := program.LookInto(t, folder)
	if !reflect.DeepEqual(after.Images, before.Images) || !reflect.DeepEqual(after.Embeddings, before.Embeddings) {
		t.Errorf("restored: got %d images and %d embeddings that are not those of before", len(after.Images), len(after.Embeddings))
	}
	mustBeUntouched(t, folder, files)

	program.StartFaulty(t, "images", "delete", "--purge", id, "--data", folder).MustEnd()
	if _, there := pictureFiles(t, folder)[id]; there {
		t.Error("a purged picture's file is still there")
	}
	if r := program.StartFaulty(t, "images", "restore", id, "--data", folder).Wait(); r.Code != program.ExitFailed || !strings.Contains(r.Err, "for good") {
		t.Errorf("restoring what was purged: got %d and %q, want that it is gone for good", r.Code, r.Err)
	}
}
