package atomicfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/atomicfile"
)

func TestHalvesAreKnownByTheirNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "epoch-3.bin")
	err := atomicfile.Write(path, 0o600, func(io.Writer) error {
		names, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(names) != 1 {
			t.Fatalf("got %v, %v", names, err)
		}
		if of, half := atomicfile.Half(names[0].Name()); !half || of != "epoch-3.bin" {
			t.Errorf("%s: got %q, %v, want a half of epoch-3.bin", names[0].Name(), of, half)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"epoch-3.bin", "epoch-3", ".hidden", ".a-b", ".-1", "a-1", ".a-"} {
		if of, half := atomicfile.Half(name); half {
			t.Errorf("%s: got a half of %q", name, of)
		}
	}
}

func TestAFileIsThereWholeOrAsItWas(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a file")
	put := func(text string) error {
		return atomicfile.Write(path, 0o640, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
	}
	want := func(text string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %q, %v, want %q", got, err, text)
		}
		names, err := os.ReadDir(folder)
		if err != nil || len(names) != 1 {
			t.Errorf("got %v, %v beside it, want nothing", names, err)
		}
	}
	if err := put("first"); err != nil {
		t.Fatal(err)
	}
	want("first")
	broken := errors.New("the writer broke")
	err := atomicfile.Write(path, 0o640, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the writer's error", err)
	}
	want("first")
	if err := put("second"); err != nil {
		t.Fatal(err)
	}
	want("second")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("got %v, %v, want the permissions asked for", info.Mode(), err)
	}
	if err := atomicfile.Write(filepath.Join(folder, "none", "x"), 0o600, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the folder is not there", err)
	}
}
