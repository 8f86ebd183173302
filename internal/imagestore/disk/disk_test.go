package disk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/imagestore/storetest"
)

func TestConformance(t *testing.T) { storetest.Run(t, openEmpty) }

func TestConformanceInPlace(t *testing.T) { storetest.RunInPlace(t, openEmpty) }

func openEmpty(t *testing.T) (imagestore.Store, func() imagestore.Store) {
	// What a folder may be called, and what means something in patterns.
	root := filepath.Join(t.TempDir(), "Bilder [alt] *", "images")
	again := func() imagestore.Store { return open(t, root) }
	return again(), again
}

func open(t *testing.T, root string) *disk.Store {
	t.Helper()
	s, err := disk.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var picture = []byte(strings.Repeat("a picture of many bytes; ", 400))

func put(t *testing.T, s *disk.Store, file []byte) imagestore.Stored {
	t.Helper()
	stored, err := s.Put(t.Context(), bytes.NewReader(file), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func read(t *testing.T, s *disk.Store, id palate.ImageID) ([]byte, error) {
	t.Helper()
	f, err := s.Open(t.Context(), id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// place is where doc.go says that an image's file is.
func place(root string, id palate.ImageID) string {
	return filepath.Join(root, "files", id.String()[:2], id.String())
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A file that was cut, as by a disk that lost its last writes, is mended by
// whoever brings the picture again, in whatever way.
func TestATruncatedFileIsReplaced(t *testing.T) {
	original := filepath.Join(t.TempDir(), "original.jpg")
	write(t, original, picture)
	for name, bring := range map[string]func(*disk.Store) (imagestore.Stored, error){
		"put": func(s *disk.Store) (imagestore.Stored, error) {
			return s.Put(t.Context(), bytes.NewReader(picture), 1<<20)
		},
		"link": func(s *disk.Store) (imagestore.Stored, error) { return s.Link(t.Context(), original) },
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			s := open(t, root)
			id := put(t, s, picture).ID
			if err := os.Truncate(place(root, id), 100); err != nil {
				t.Fatal(err)
			}
			stored, err := bring(s)
			if err != nil || stored.Existed {
				t.Errorf("got %+v and %v, want it stored anew", stored, err)
			}
			if got, err := read(t, s, id); err != nil || !bytes.Equal(got, picture) {
				t.Errorf("got %d bytes and %v, want %d", len(got), err, len(picture))
			}
		})
	}
}

func TestAFolderOfAnotherVersionIsLeftAlone(t *testing.T) {
	for text, want := range map[string]string{
		"palate images 999\n":      "newer palate",
		"palate images\n":          "choose another folder",
		"palate images -1\n":       "choose another folder",
		"a note about my pictures": "choose another folder",
	} {
		root := t.TempDir()
		write(t, filepath.Join(root, "palate-images"), []byte(text))
		_, err := disk.Open(root)
		if !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), root) {
			t.Errorf("%q: got %v, want ErrConflict that says %q", text, err, want)
		}
		if entries, err := os.ReadDir(root); err != nil || len(entries) != 1 {
			t.Errorf("%q: got %d entries and %v, want nothing added", text, len(entries), err)
		}
	}
}

// Even an administrator can't make a folder where there is a file.
func TestAFolderThatCanNotBeWrittenIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	_, err := disk.Open(filepath.Join(file, "images"))
	wantUnavailable(t, "Open", err, file)

	root := t.TempDir()
	s := open(t, root)
	id := put(t, s, picture).ID
	if err := os.Remove(filepath.Join(root, "tmp")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "tmp"), nil)
	_, err = s.Put(t.Context(), strings.NewReader("another"), 100)
	wantUnavailable(t, "Put", err, root)
	wantUnavailable(t, "PutThumbnail", s.PutThumbnail(t.Context(), id, 320, nil), root)
	wantUnavailable(t, "Ready", s.Ready(t.Context()), root)
	_, err = s.Reference(t.Context(), file)
	wantUnavailable(t, "Reference", err, root)
	_, err = s.Link(t.Context(), file)
	wantUnavailable(t, "Link", err, root)
	if got, err := read(t, s, id); err != nil || !bytes.Equal(got, picture) {
		t.Errorf("what was stored before: got %d bytes and %v", len(got), err)
	}
	if os.Geteuid() == 0 { // whom permissions do not bind
		return
	}
	locked := t.TempDir()
	if err := os.Chmod(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	_, err = disk.Open(filepath.Join(locked, "images"))
	wantUnavailable(t, "Open in a folder without permission", err, locked)
}

func wantUnavailable(t *testing.T, what string, err error, hint string) {
	t.Helper()
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), hint) {
		t.Errorf("%s: got %v, want ErrUnavailable that names %s", what, err, hint)
	}
}

func TestADamagedReferenceIsTold(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	id := palate.NewImageID(sha256.Sum256(picture))
	write(t, filepath.Join(root, "refs", id.String()[:2], id.String()+".json"), []byte(`{"path": "/pic`))
	_, err := read(t, s, id)
	if !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "import its file again") {
		t.Errorf("got %v, want ErrConflict that says what to do", err)
	}
	file := filepath.Join(t.TempDir(), "picture.jpg")
	write(t, file, picture)
	if _, err := s.Reference(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if got, err := read(t, s, id); err != nil || !bytes.Equal(got, picture) {
		t.Errorf("after it was imported again: got %d bytes and %v", len(got), err)
	}
	// The folder of the file is a file now: it is gone, and others go on.
	write(t, filepath.Join(root, "refs", id.String()[:2], id.String()+".json"), fmt.Appendf(nil, `{"path": %q}`, filepath.Join(file, "picture.jpg")))
	if _, err := read(t, s, id); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("below a file: got %v, want ErrNotFound", err)
	}
}

// What people put beside the images is not the store's.
func TestForeignFilesAreLeftAlone(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	id := put(t, s, picture).ID
	foreign := []string{"files/.DS_Store", "files/ab/notes.txt", "refs/ab/notes.json", "thumbs/ab/thumbs.db", "files/" + id.String()[:2] + "/" + id.String() + ".bak"}
	for _, name := range foreign {
		write(t, filepath.Join(root, filepath.FromSlash(name)), []byte("mine"))
	}
	visits := 0
	err := s.Walk(t.Context(), func(palate.ImageID) error { visits++; return nil })
	if err != nil || visits != 1 {
		t.Errorf("got %d visits and %v, want 1", visits, err)
	}
	if removed, err := s.Sweep(t.Context(), anyAge, fates(func(palate.ImageID) bool { return true })); err != nil || removed != (imagestore.Swept{}) {
		t.Errorf("got %+v removed and %v, want none", removed, err)
	}
	for _, name := range foreign {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
}

// anyAge are rules for files of any age.
var anyAge = imagestore.SweepRules{OlderThan: -time.Hour, MaxOrphans: 1000, KeepOrphans: time.Hour}

// fates wants some files; the others are orphans.
func fates(wanted func(palate.ImageID) bool) func(context.Context, []palate.ImageID) ([]imagestore.Fate, error) {
	return func(_ context.Context, ids []palate.ImageID) ([]imagestore.Fate, error) {
		answer := make([]imagestore.Fate, len(ids))
		for i, id := range ids {
			if wanted(id) {
				answer[i] = imagestore.Wanted
			}
		}
		return answer, nil
	}
}

// A thumbnail of an earlier version is not shown, and goes when it is made anew.
func TestAFormerThumbnailIsMadeAnew(t *testing.T) {
	root := t.TempDir()
	s, err := disk.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("a picture")
	stored, err := s.Put(t.Context(), bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	id := stored.ID.String()
	former := filepath.Join(root, "thumbs", id[:2], id+"-320.jpg")
	if err := os.MkdirAll(filepath.Dir(former), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(former, []byte("by other rules"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenThumbnail(t.Context(), stored.ID, 320); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("got %v, want it not found", err)
	}
	if err := s.PutThumbnail(t.Context(), stored.ID, 320, []byte("anew")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(former); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the former one: %v, want it gone", err)
	}
	file, err := s.OpenThumbnail(t.Context(), stored.ID, 320)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := io.ReadAll(file); err != nil || string(got) != "anew" {
		t.Errorf("got %q, %v", got, err)
	}
}
