package flat_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
)

const fileDim, fileRows = 6, 50

// written makes a side file and returns its path and bytes.
func written(t *testing.T) (path string, good []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.flat")
	ix, _ := openFile(t, path, model, fileDim)
	ok(t, ix.Upsert(t.Context(), points(random(1), 0, fileRows, fileDim)))
	ix.SetPosition(42)
	ok(t, ix.Close())
	good, err := os.ReadFile(path)
	ok(t, err)
	return path, good
}

func openFile(t *testing.T, path string, m palate.ModelID, dim int) (*flat.Index, *strings.Builder) {
	t.Helper()
	var told strings.Builder
	config := flat.DefaultConfig()
	config.Path, config.Logger = path, slog.New(slog.NewTextHandler(&told, nil))
	return open(t, m, dim, config), &told
}

func count(t *testing.T, ix *flat.Index) int {
	t.Helper()
	n, err := ix.Count(t.Context(), index.Filter{})
	ok(t, err)
	return n
}

func TestSideFileIsUsed(t *testing.T) {
	path, _ := written(t)
	ix, told := openFile(t, path, model, fileDim)
	if ix.Position() != 42 || count(t, ix) != fileRows || told.Len() > 0 {
		t.Fatalf("position %d, %d points, told %q; want 42, %d and nothing", ix.Position(), count(t, ix), told, fileRows)
	}
	want := points(random(1), 0, fileRows, fileDim)
	got, err := ix.Get(t.Context(), []palate.ImageID{id(7)})
	ok(t, err)
	if len(got) != 1 || got[0].Embedding[3] != want[7].Embedding[3] || got[0].Attributes.Artists[0] != want[7].Attributes.Artists[0] {
		t.Errorf("got %v, want %v", got, want[7])
	}
}

func TestBadSideFileIsIgnored(t *testing.T) {
	path, good := written(t)
	damaged := func(at int) []byte {
		bad := bytes.Clone(good)
		bad[at] ^= 0x10
		return bad
	}
	otherVersion := bytes.Clone(good)
	otherVersion[24]++
	for what, bad := range map[string][]byte{
		"empty": {}, "short": good[:100], "header only": good[:4096], "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0),
		"unfinished": append(make([]byte, 4096), good[4096:]...), "no side file": bytes.Repeat([]byte("text "), 2000),
		"magic": damaged(3), "version": otherVersion, "dim": damaged(28), "rows": damaged(32), "place": damaged(41), "checksum": damaged(4093), "model": damaged(70),
		"first row": damaged(4096), "last row": damaged(4096 + 4*fileDim*fileRows - 1), "ids": damaged(4096 + 4*fileDim*fileRows + 40), "end": damaged(len(good) - 1),
	} {
		ok(t, os.WriteFile(path, bad, 0o600))
		ix, told := openFile(t, path, model, fileDim)
		if ix.Position() != 0 || count(t, ix) != 0 {
			t.Errorf("%s: position %d and %d points from a bad file", what, ix.Position(), count(t, ix))
		}
		if !strings.Contains(told.String(), "written anew") {
			t.Errorf("%s: told %q", what, told)
		}
		ok(t, ix.Upsert(t.Context(), points(random(1), 0, fileRows, fileDim)))
		ix.SetPosition(43)
		ok(t, ix.Close())
		if again, _ := openFile(t, path, model, fileDim); again.Position() != 43 || count(t, again) != fileRows {
			t.Errorf("%s: the file is not written anew: position %d, %d points", what, again.Position(), count(t, again))
		}
	}
}

func TestSideFileOfOthers(t *testing.T) {
	path, good := written(t)
	for what, ix := range map[string]*flat.Index{
		"model": first(openFile(t, path, "another", fileDim)), "dimension": first(openFile(t, path, model, fileDim+1)),
	} {
		if ix.Position() != 0 || count(t, ix) != 0 {
			t.Errorf("the file of another %s is used", what)
		}
	}
	ok(t, os.WriteFile(path, good, 0o600))
	// Of two processes that close, the one that has seen more is kept.
	ahead, _ := openFile(t, path, model, fileDim)
	behind, _ := openFile(t, path, model, fileDim)
	ok(t, ahead.Upsert(t.Context(), points(random(2), fileRows, 2*fileRows, fileDim)))
	ahead.SetPosition(60)
	ok(t, behind.Delete(t.Context(), []palate.ImageID{id(1), id(2), id(3)}))
	behind.SetPosition(50)
	ok(t, ahead.Close())
	ok(t, behind.Close())
	if ix, _ := openFile(t, path, model, fileDim); ix.Position() != 60 || count(t, ix) != 2*fileRows {
		t.Errorf("position %d with %d points, want 60 with %d", ix.Position(), count(t, ix), 2*fileRows)
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestSideFileIsForgottenByClear(t *testing.T) {
	path, _ := written(t)
	ix, _ := openFile(t, path, model, fileDim)
	ok(t, ix.Clear(t.Context()))
	if ix.Position() != 0 {
		t.Errorf("position is %d after Clear, want 0", ix.Position())
	}
	ok(t, ix.Close()) // as if killed before it was loaded again
	if again, _ := openFile(t, path, model, fileDim); again.Position() != 0 || count(t, again) != 0 {
		t.Errorf("a cleared index comes back with position %d and %d points", again.Position(), count(t, again))
	}
}

func TestSideFileNeedsAPosition(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.flat")
	ix, _ := openFile(t, path, model, fileDim)
	ok(t, ix.Upsert(t.Context(), points(random(1), 0, 9, fileDim)))
	ok(t, ix.Close()) // in the middle of loading
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a half loaded index leaves a file: %v", err)
	}
}

func TestSideFileThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent", "x.flat")
	ix, told := openFile(t, path, model, fileDim)
	ok(t, ix.Upsert(t.Context(), points(random(1), 0, fileRows, fileDim)))
	ix.SetPosition(1)
	ok(t, ix.Close())
	if !strings.Contains(told.String(), "can't be written") {
		t.Errorf("told %q of a folder that is not there", told)
	}
}

func TestUnfinishedFilesAreSwept(t *testing.T) {
	path, _ := written(t)
	old, fresh := path+".1.tmp", path+".2.tmp"
	for _, left := range []string{old, fresh} {
		ok(t, os.WriteFile(left, []byte("x"), 0o600))
	}
	long := time.Now().Add(-2 * time.Hour)
	ok(t, os.Chtimes(old, long, long))
	ix, _ := openFile(t, path, model, fileDim)
	ok(t, ix.Upsert(t.Context(), points(random(2), 0, fileRows, fileDim)))
	ok(t, ix.Close())
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("a file left two hours ago is still there: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("a file of another process at work is gone: %v", err)
	}
	if left, _ := filepath.Glob(path + ".*.tmp"); len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
}

func FuzzTail(f *testing.F) {
	ids := []palate.ImageID{id(1), id(2), id(3)}
	f.Add(flat.EncodeTail(ids, []string{"a", "", "北斎", "d", "e"}, []int{-5, 1900}), 3)
	f.Add(flat.EncodeTail(nil, nil, nil), 0)
	f.Add([]byte{}, 1)
	f.Fuzz(func(t *testing.T, b []byte, rows int) {
		if rows < 0 || rows > 1<<20 {
			return
		}
		again, err := flat.Tail(b, rows)
		if err != nil {
			return
		}
		third, err := flat.Tail(again, rows)
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("what was read and written can't be read the same: %v", err)
		}
	})
}
