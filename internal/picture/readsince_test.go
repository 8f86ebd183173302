package picture_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

// A reason is former only as long as nothing is refused for it: each kind's
// name stands as a whole text in no file that refuses.
func TestNothingIsRefusedForAFormerReason(t *testing.T) {
	reasons := picture.FormerReasons()
	for _, want := range []string{"unsupported_heic", "unsupported_avif", "unsupported_tga", "unsupported_arithmetic-coded_jpeg"} {
		if !slices.Contains(reasons, want) {
			t.Errorf("%q is not among %q", want, reasons)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			for _, quoted := range quotedTexts(line) {
				refuses := strings.Contains(line, "UnsupportedError{") || strings.Contains(line, "kind:") || strings.Contains(line, "kind =")
				reason := picture.Reason(&picture.UnsupportedError{Kind: quoted})
				if refuses && slices.Contains(reasons, reason) {
					t.Errorf("%s refuses %q, which is said to be read: %s", file, quoted, strings.TrimSpace(line))
				}
			}
		}
	}
}

// quotedTexts are the texts between quotes in a line.
func quotedTexts(line string) (texts []string) {
	parts := strings.Split(line, `"`)
	for i := 1; i < len(parts); i += 2 {
		texts = append(texts, parts[i])
	}
	return texts
}
