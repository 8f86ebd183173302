package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/ingest"
)

func TestVerifyFindsAFlippedByteAndAnImportMendsIt(t *testing.T) {
	data, pictures := t.TempDir(), museumPictures(t, 3)
	mustRun(t, "import", pictures, "--data", data)
	if out := mustRun(t, "verify", "--deep", "--data", data); !strings.Contains(out, "3 of them read whole") || !strings.Contains(out, "Nothing is wrong with them") {
		t.Errorf("of a whole collection: %s", out)
	}
	files, err := filepath.Glob(filepath.Join(data, "images", "files", "*", "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("got %d files and %v", len(files), err)
	}
	content := readFile(t, files[0])
	content[len(content)/2] ^= 1
	if err := os.WriteFile(files[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, "verify", "--data", data); !strings.Contains(out, "--deep reads every file") {
		t.Errorf("by length alone nothing is seen, and it says so: %s", out)
	}
	r := runPalate(t, "verify", "--deep", "--data", data)
	if r.code != exitFailed || !strings.Contains(r.out, filepath.Base(files[0])) || !strings.Contains(r.out, "1 damaged: the file has another content") {
		t.Errorf("got %+v, want the damaged file by its name", r)
	}
	mustRun(t, "import", pictures, "--data", data)
	if check := jsonRun[ingest.Check](t, "verify", "--deep", "--data", data); !check.Well() {
		t.Errorf("after an import: %+v", check)
	}
}
