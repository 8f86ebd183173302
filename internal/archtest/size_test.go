package archtest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxCommandLines is how many lines the command line has at most, without its
// tests: flags and what they mean, nothing else. It never goes up. What a new
// command does belongs into internal/collection or a package of its own, and how
// its result looks into internal/show.
const maxCommandLines = 3500

func TestTheCommandLineIsFlags(t *testing.T) {
	files, err := filepath.Glob(filepath.FromSlash("../../cmd/palate/*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	lines := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte{'\n'})
	}
	if lines > maxCommandLines {
		t.Errorf("cmd/palate has %d lines, at most %d are allowed: move what a command does into internal/collection, and how its result looks into internal/show", lines, maxCommandLines)
	}
}
