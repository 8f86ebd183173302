package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The fault suite makes real faults happen to a real program: faults_*_test.go,
// one file for each theme, tests named TestFault…. PALATE_FAULTS_BINARY names
// another program to try them on, such as a former release, which has to fail
// them (with -count=1: the test cache does not see it, as it is read before the
// tests clear the environment).
var faultsBinary = os.Getenv("PALATE_FAULTS_BINARY")

// startFaulty starts the program under test.
func startFaulty(t *testing.T, args ...string) *process {
	t.Helper()
	return startProgram(t, faultsBinary, nil, args...)
}

// oldCollection is a collection's folder as commit 643e7ab left it
// (testdata/README.md says what is in it).
func oldCollection(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	file, err := os.Open(filepath.Join("testdata", "collection-643e7ab.tar.gz"))
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
		writeFile(t, path, content)
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

// mustRefuse waits for a program that has to end with an error that contains
// the texts; one that serves instead is a failure.
func (p *process) mustRefuse(texts ...string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.ended:
			r := p.wait()
			if r.code == exitDone {
				p.t.Errorf("palate %s: succeeded, want a refusal", strings.Join(p.args, " "))
			}
			for _, text := range texts {
				if !strings.Contains(r.err+r.out, text) {
					said := r.out + r.err
					p.t.Errorf("palate %s: got … %q, want %q in it", strings.Join(p.args, " "), said[max(0, len(said)-300):], text)
				}
			}
			return
		default:
		}
		if strings.Contains(p.errOut.String(), "Serving the page") {
			p.kill()
			p.t.Errorf("palate %s: it serves, want a refusal", strings.Join(p.args, " "))
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("palate %s: neither refused nor served within %v", strings.Join(p.args, " "), patience)
		}
	}
}
