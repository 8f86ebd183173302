package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
)

// tree writes files below a new folder; keys are slash-separated paths.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestScanReadsVerdictsFromTheNearestFolder(t *testing.T) {
	dir := tree(t, map[string]string{
		"plain.jpg": "", "good/a.jpg": "", "Bad/b.jpg": "", "good/deeper/c.jpg": "",
		"good/bad/d.jpg": "", ".hidden.jpg": "", ".cache/e.jpg": "",
	})
	listing, err := folder.Scan(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]palate.Verdict{}
	for _, f := range listing.Files {
		rel, _ := filepath.Rel(dir, f.Path)
		got[filepath.ToSlash(rel)] = f.Verdict
	}
	want := map[string]palate.Verdict{
		"plain.jpg": "", "good/a.jpg": palate.Like, "Bad/b.jpg": palate.Dislike,
		"good/deeper/c.jpg": palate.Like, "good/bad/d.jpg": palate.Dislike,
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, verdict := range want {
		if v, ok := got[name]; !ok || v != verdict {
			t.Errorf("%s: got verdict %q (listed: %v), want %q", name, v, ok, verdict)
		}
	}
}

func TestScanFillsSourcesFromMetadata(t *testing.T) {
	long := strings.Repeat("Ωραία ", 60)
	for name, files := range map[string]map[string]string{
		"csv": {
			"one.jpg": "", "two.jpg": "",
			"metadata.csv": "\uFEFFFile Name,Title,Artist,Year,License,source,External-ID,categories\n" +
				"one.jpg,\"" + long + "\",Ōkubo,1871,CC0,https://m.example/1,M-1,a; b\nmissing.jpg,,,,,,,\n",
		},
		"json list": {
			"one.jpg": "", "two.jpg": "",
			"metadata.json": `[{"file":"one.jpg","title":"` + long + `","artist":"Ōkubo","year":1871,"licence":"CC0",` +
				`"source":"https://m.example/1","external_id":"M-1","categories":["a","b"]},{"file":"missing.jpg"}]`,
		},
		"json object": {
			"one.jpg": "", "two.jpg": "",
			"metadata.json": `{"one.jpg":{"title":"` + long + `","artist":"Ōkubo","year":"1871","license":"CC0",` +
				`"url":"https://m.example/1","external_id":"M-1","tags":["a","b"]},"missing.jpg":null}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			listing, err := folder.Scan(t.Context(), tree(t, files))
			if err != nil {
				t.Fatal(err)
			}
			if len(listing.Files) != 2 {
				t.Fatalf("got %d files, want 2", len(listing.Files))
			}
			got := listing.Files[0].Source
			if got.Title != strings.TrimSpace(long) || got.Artist != "Ōkubo" || got.Year != 1871 || got.Licence != "CC0" ||
				got.Page != "https://m.example/1" || got.ExternalID != "M-1" || strings.Join(got.Categories, "|") != "a|b" ||
				got.OriginalName != "one.jpg" || got.Site != "folder" {
				t.Errorf("got source %+v", got)
			}
			if other := listing.Files[1].Source; other.Title != "" {
				t.Errorf("the file without a row got the title %q", other.Title)
			}
			if len(listing.Unmatched) != 1 || !strings.HasSuffix(listing.Unmatched[0], ": missing.jpg") {
				t.Errorf("got unmatched %v, want missing.jpg", listing.Unmatched)
			}
		})
	}
}

func TestScanRefusesMetadataThatCannotBeMeant(t *testing.T) {
	for name, tt := range map[string]struct {
		file, content, says string
	}{
		"no file column":  {"metadata.csv", "title\nx\n", `no column "file"`},
		"uneven row":      {"metadata.csv", "file,title\na.jpg\n", "line 2"},
		"year in words":   {"metadata.csv", "file,year\na.jpg,about 1900\n", ":2: year"},
		"two rows":        {"metadata.csv", "file\na.jpg\na.jpg\n", ":3: file \"a.jpg\" has a row already"},
		"another folder":  {"metadata.csv", "file\n../a.jpg\n", "same folder"},
		"not UTF-8":       {"metadata.csv", "file,title\na.jpg,\xff\n", "not UTF-8"},
		"empty":           {"metadata.csv", "", "no header row"},
		"not JSON":        {"metadata.json", "file: a.jpg", "want a list"},
		"a number inside": {"metadata.json", `[{"file":"a.jpg","title":{"x":1}}]`, "entry 1: title"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := folder.Scan(t.Context(), tree(t, map[string]string{tt.file: tt.content, "a.jpg": ""}))
			if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got error %v, want ErrInvalid that says %q", err, tt.says)
			}
		})
	}
	_, err := folder.Scan(t.Context(), tree(t, map[string]string{"metadata.csv": "file\n", "metadata.json": "[]"}))
	if !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("both kinds side by side: got %v, want ErrInvalid", err)
	}
}

func TestScanOfNothingIsNotFound(t *testing.T) {
	if _, err := folder.Scan(t.Context(), filepath.Join(t.TempDir(), "gone")); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
