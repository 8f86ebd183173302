package storetest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

// RunInPlace holds an implementation against what imagestore.InPlace adds.
// Its stores are on the disk of t.TempDir.
func RunInPlace(t *testing.T, open Open) {
	run(t, open, map[string]claim{
		"a linked file":                 testLink,
		"a referenced file":             testReference,
		"a reference and a copy":        testReferenceAndCopy,
		"a link or reference to a link": testSymbolicLink,
	})
}

// original writes a file outside of the store, long ago.
func original(t *testing.T, name string, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	write(t, path, file, longAgo)
	return path
}

var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)

func write(t *testing.T, path string, file []byte, modified time.Time) {
	t.Helper()
	ok(t, "write", os.WriteFile(path, file, 0o644))
	ok(t, "write", os.Chtimes(path, modified, modified))
}

func testLink(t *testing.T, store imagestore.Store, again func() imagestore.Store) {
	s := store.(imagestore.InPlace)
	path := original(t, "Größe.jpg", content(1))
	stored, err := s.Link(t.Context(), path)
	if err != nil || stored.Existed || stored.ID != idOf(content(1)) || stored.Bytes != int64(len(content(1))) {
		t.Fatalf("Link: got %+v and %v", stored, err)
	}
	wantFile(t, again(), content(1))
	// The file is old, its place in the store is not.
	swept, err := s.Sweep(t.Context(), rules(time.Hour), fates(nil, imagestore.Orphaned))
	if err != nil || swept.Orphans != 0 {
		t.Errorf("a sweep of what is an hour old: got %+v and %v, want none", swept, err)
	}
	for _, same := range []string{path, original(t, "copy.jpg", content(1))} {
		if stored, err = s.Link(t.Context(), same); err != nil || !stored.Existed {
			t.Errorf("Link of the same picture: got %+v and %v, want that it existed", stored, err)
		}
	}
	wantIDs(t, s, stored.ID)
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(longAgo) {
		t.Errorf("the original was touched: %v %v", info, err)
	}
	ok(t, "remove", os.Remove(path))
	wantFile(t, s, content(1))

	path = original(t, "two.jpg", content(2))
	_, err = s.Link(t.Context(), path)
	ok(t, "Link", err)
	ok(t, "Delete", s.Delete(t.Context(), idOf(content(2))))
	if file, err := os.ReadFile(path); err != nil || !bytes.Equal(file, content(2)) {
		t.Errorf("Delete took the original: %v", err)
	}
	_, err = s.Link(t.Context(), path+"-none")
	wantKind(t, "Link of nothing", err, palate.ErrNotFound)
	if swept := sweepAll(t, s, stored.ID); swept != (imagestore.Swept{}) {
		t.Errorf("%+v unfinished files were left", swept)
	}
}

func testReference(t *testing.T, store imagestore.Store, again func() imagestore.Store) {
	s := store.(imagestore.InPlace)
	dir := t.TempDir()
	path := filepath.Join(dir, "B\xe4ume.jpg") // a name in Latin-1
	if os.WriteFile(path, nil, 0o644) != nil {
		path = filepath.Join(dir, "Bäume.jpg") // not every file system has such
	}
	write(t, path, content(1), longAgo)
	id := idOf(content(1))
	stored, err := s.Reference(t.Context(), path)
	if err != nil || stored.Existed || stored.ID != id || stored.Bytes != int64(len(content(1))) {
		t.Fatalf("Reference: got %+v and %v", stored, err)
	}
	if stored, err = again().(imagestore.InPlace).Reference(t.Context(), path); err != nil || !stored.Existed {
		t.Errorf("Reference again: got %+v and %v, want that it existed", stored, err)
	}
	wantFile(t, again(), content(1))
	wantIDs(t, s, id)

	write(t, path, content(1), time.Now()) // touched, not changed
	wantFile(t, s, content(1))
	wantRefused := func(what string, kind error) {
		t.Helper()
		_, err := s.Open(t.Context(), id)
		wantKind(t, what, err, kind)
		if err != nil && !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got %q, which does not name the file", what, err)
		}
	}
	same := bytes.ToUpper(content(1)) // as long, and another
	write(t, path, same, time.Now())
	wantRefused("a changed file", palate.ErrConflict)
	write(t, path, append(content(1), '.'), longAgo)
	wantRefused("a longer file of the same time", palate.ErrConflict)
	ok(t, "remove", os.Remove(path))
	wantRefused("a file that is gone", palate.ErrNotFound)
	if has, err := s.Has(t.Context(), id); !has || err != nil {
		t.Errorf("Has of a reference to what is gone: got %v, %v, want true", has, err)
	}
	write(t, path, content(1), longAgo)
	wantFile(t, s, content(1)) // came back

	ok(t, "remove", os.Remove(path))
	moved := original(t, "moved.jpg", content(1))
	if stored, err = s.Reference(t.Context(), moved); err != nil || stored.Existed {
		t.Errorf("Reference to where it is now: got %+v and %v, want it written", stored, err)
	}
	wantFile(t, s, content(1))
	putThumbnail(t, s, id, 320, "small")
	ok(t, "Delete", s.Delete(t.Context(), id))
	wantNoFile(t, s, id)
	wantThumbnail(t, s, id, 320, "")
	if file, err := os.ReadFile(moved); err != nil || !bytes.Equal(file, content(1)) {
		t.Errorf("Delete took the original: %v", err)
	}
	_, err = s.Reference(t.Context(), path)
	wantKind(t, "Reference of nothing", err, palate.ErrNotFound)
}

func testReferenceAndCopy(t *testing.T, store imagestore.Store, _ func() imagestore.Store) {
	s := store.(imagestore.InPlace)
	path, id := original(t, "one.jpg", content(1)), idOf(content(1))
	_, err := s.Reference(t.Context(), path)
	ok(t, "Reference", err)
	put(t, s, content(1))
	wantIDs(t, s, id)
	write(t, path, content(2), longAgo)
	wantFile(t, s, content(1)) // there is a copy now
	if stored, err := s.Reference(t.Context(), original(t, "again.jpg", content(1))); err != nil || !stored.Existed {
		t.Errorf("Reference to what is kept: got %+v and %v, want that it existed", stored, err)
	}
	if swept := sweepAll(t, s); swept.Moved != 1 {
		t.Errorf("got %+v removed, want 1", swept)
	}
	wantNoFile(t, s, id)
}

// Symbolic links lead to the picture wherever they are seen from.
func testSymbolicLink(t *testing.T, store imagestore.Store, _ func() imagestore.Store) {
	s := store.(imagestore.InPlace)
	for n, keep := range map[int]func(context.Context, string) (imagestore.Stored, error){1: s.Link, 2: s.Reference} {
		path := original(t, "picture.jpg", content(n))
		symbolic := filepath.Join(filepath.Dir(path), "linked.jpg")
		ok(t, "symbolic link", os.Symlink("picture.jpg", symbolic))
		here, err := os.Getwd()
		ok(t, "working directory", err)
		relative, err := filepath.Rel(here, symbolic)
		ok(t, "relative path", err)
		_, err = keep(t.Context(), relative)
		ok(t, "keep", err)
		wantFile(t, s, content(n))
	}
}
