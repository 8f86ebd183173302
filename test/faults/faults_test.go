package faults_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// oldCollection is a collection's folder as commit 643e7ab left it
// (testdata/README.md says what is in it).
func oldCollection(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	file, err := os.Open(filepath.Join("..", "..", "cmd", "palate", "testdata", "collection-643e7ab.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return folder
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, filepath.FromSlash(header.Name))
		if header.FileInfo().IsDir() {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		program.WriteFile(t, path, content)
	}
}

// pictureFiles are the files that a collection's folder keeps of its
// pictures, in the place where they serve, with their content.
func pictureFiles(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	root := filepath.Join(folder, "images", "files")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[entry.Name()] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func mustBeUntouched(t *testing.T, folder string, before map[string]string) {
	t.Helper()
	after := pictureFiles(t, folder)
	lost := 0
	for name, content := range before {
		if after[name] != content {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d picture files are gone or others", lost, len(before))
	}
}
