package folder_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
)

// Metadata that can't be taken are refused in both forms, with their row and
// field.
func TestMetadataAreBounded(t *testing.T) {
	for _, tc := range []struct{ column, value, field string }{
		{"page", "javascript:alert(1)", "page"},
		{"source", "file:///etc/passwd", "page"},
		{"licence_url", "data:text/html;x", "licence_url"},
		{"year", "1000000000", "year"},
		{"year", "-1000000000", "year"},
		{"title", strings.Repeat("x", 1<<20), "title"},
		{"credit", strings.Repeat("x", 1<<20), "credit"},
		{"tags", strings.Repeat("x;", 2000), "categories"},
	} {
		for name, content := range map[string]string{
			"metadata.csv":  fmt.Sprintf("file,%s\na.jpg,\"%s\"\n", tc.column, tc.value),
			"metadata.json": fmt.Sprintf(`[{"file":"a.jpg",%q:%q}]`, tc.column, tc.value),
		} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := folder.Scan(t.Context(), dir)
			if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), tc.field+": ") || len(err.Error()) > 500 {
				t.Errorf("%s, %s %.30q: got %.600v, want a short palate.ErrInvalid that names %s", name, tc.column, tc.value, err, tc.field)
			}
		}
	}
}
