package ort_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

// libraryName is how a version's file is called on this system.
func libraryName(version string) string {
	if runtime.GOOS == "darwin" {
		return "libonnxruntime." + version + ".dylib"
	}
	return "libonnxruntime.so." + version
}

func TestExplicitLibraryIsTakenOrAnError(t *testing.T) {
	dir := t.TempDir()
	good := nativeLibrary(t, filepath.Join(dir, "good", "any-name.so"), "1.30.1", true)
	for _, tc := range []struct {
		name, path, want string // want is in the error; empty for none
	}{
		{"good", good, ""},
		{"no such file", filepath.Join(dir, "missing.so"), "no such file"},
		{"a folder", dir, "not a file"},
		{"no library", write(t, filepath.Join(dir, "text.so"), []byte("hello")), "no ONNX Runtime library"},
		{"another library", otherLibrary(t, filepath.Join(dir, "other.so")), "no function OrtGetApiBase"},
		{"too old", nativeLibrary(t, filepath.Join(dir, "old.so"), "1.17.0", false), "too old"},
		{"new version without the interface", nativeLibrary(t, filepath.Join(dir, "odd.so"), "1.24.0", false), "too old"},
		{"no version", nativeLibrary(t, filepath.Join(dir, "none.so"), "nonsense", true), "no version"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := config(t)
			// A good library elsewhere must not hide a wrong explicit one.
			c.LibraryDirs = []string{filepath.Dir(good)}
			c.LibraryPath = tc.path
			lib, err := ort.Find(context.Background(), c)
			if tc.want == "" {
				if want := (ort.Library{Path: good, Version: "1.30.1", Origin: ort.OriginExplicit}); err != nil || lib != want {
					t.Errorf("got %+v, %v, want %+v", lib, err, want)
				}
				return
			}
			if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.path) {
				t.Errorf("got %v, want ErrInvalid with %q and the path", err, tc.want)
			}
		})
	}
}

// otherLibrary is a shared library that is not ONNX Runtime: the compiled
// stand-in with its one symbol renamed.
func otherLibrary(t *testing.T, path string) string {
	t.Helper()
	nativeLibrary(t, path, "1.30.1", true)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The loader finds symbols by a hash of the name: the changed one is lost.
	return write(t, path, []byte(strings.ReplaceAll(string(text), "OrtGetApiBase", "XrtGetApiBase")))
}

func TestInstalledLibraryIsTheFirstFoldersNewestUsableOne(t *testing.T) {
	root := t.TempDir()
	dir := func(name string) string { return filepath.Join(root, name) }
	nativeLibrary(t, filepath.Join(dir("old"), libraryName("1.17.0")), "1.17.0", false)
	nativeLibrary(t, filepath.Join(dir("mixed"), libraryName("1.9.0")), "1.9.0", false)
	nativeLibrary(t, filepath.Join(dir("mixed"), libraryName("1.25.0")), "1.25.0", true)
	nativeLibrary(t, filepath.Join(dir("mixed"), libraryName("1.26.2")), "1.26.2", true)
	write(t, filepath.Join(dir("broken"), libraryName("1.27.0")), []byte("text"))
	write(t, filepath.Join(dir("unrelated"), "libonnxruntime_providers_shared.so"), []byte("text"))
	if err := os.Symlink("nowhere", filepath.Join(dir("broken"), libraryName("1"))); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir("linked"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir("mixed"), libraryName("1.25.0")), filepath.Join(dir("linked"), libraryName("1"))); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		dirs []string
		want string // file below root, or words of the reason why there is none
		ok   bool
	}{
		{"newest of a folder", []string{"missing", "mixed"}, "mixed/" + libraryName("1.26.2"), true},
		{"too old is passed over", []string{"old", "mixed"}, "mixed/" + libraryName("1.26.2"), true},
		{"broken is passed over", []string{"broken", "mixed"}, "mixed/" + libraryName("1.26.2"), true},
		{"a link is followed", []string{"linked", "mixed"}, "mixed/" + libraryName("1.25.0"), true},
		{"only a too old one", []string{"old"}, "too old", false},
		{"only a broken one", []string{"broken"}, "no ONNX Runtime library", false},
		{"none", []string{"unrelated"}, "no file named", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := config(t)
			c.LibraryDirs = nil
			for _, d := range tc.dirs {
				c.LibraryDirs = append(c.LibraryDirs, dir(d))
			}
			lib, err := ort.Find(context.Background(), c)
			if !tc.ok {
				if !strings.Contains(reason(err, ort.OriginInstalled), tc.want) {
					t.Errorf("got %v, want a reason with %q", err, tc.want)
				}
				return
			}
			real, evalErr := filepath.EvalSymlinks(filepath.Join(root, filepath.FromSlash(tc.want)))
			if err != nil || evalErr != nil || lib.Path != real || lib.Origin != ort.OriginInstalled {
				t.Errorf("got %+v, %v, want %s (%v)", lib, err, tc.want, evalErr)
			}
		})
	}
}
