package folder_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
)

func TestMetadataIsReadAsPeopleWriteIt(t *testing.T) {
	huge := strings.Repeat("long “title” — 長い; ", 140) // 4 kB, the most
	for name, c := range map[string]struct {
		file, content string
		want          folder.Row
	}{
		"quotes and line breaks": {"metadata.csv", "file,title,credit\r\na.jpg,\"He said \"\"no\"\",\r\nand left\",\"one, two\"\r\n",
			folder.Row{File: "a.jpg", Title: "He said \"no\",\nand left", Credit: "one, two"}},
		"spaces around": {"metadata.csv", " FILE , Artist \n a.jpg ,  Ōkubo  \n", folder.Row{File: "a.jpg", Artist: "Ōkubo"}},
		"columns in any order and others between": {"metadata.csv", "shelf,year,file,,colour\n3,1871,a.jpg,x,red\n", folder.Row{File: "a.jpg", Year: 1871}},
		"a year of a spreadsheet":                 {"metadata.csv", "file,year\na.jpg,1871.0\n", folder.Row{File: "a.jpg", Year: 1871}},
		"no year, and one before our era":         {"metadata.csv", "file,year\nb.jpg,\na.jpg,-480\n", folder.Row{File: "a.jpg", Year: -480}},
		"file and name":                           {"metadata.csv", "name,file,id,external_id\nSunflowers,a.jpg,7,F-454\n", folder.Row{File: "a.jpg", ExternalID: "F-454"}},
		"a large field":                           {"metadata.csv", "file,title\na.jpg,\"" + huge + "\"\n", folder.Row{File: "a.jpg", Title: strings.TrimSpace(huge)}},
		"every column": {"metadata.csv", "Image,Title,Creator,Year,Date,Technique,Tags,License,License URL,Credit,URL,ID\n" +
			"a.jpg,T,A,1900,c. 1900,oil,x; y;,CC0,https://l.example,gift,https://p.example,E\n",
			folder.Row{File: "a.jpg", Title: "T", Artist: "A", Year: 1900, Date: "c. 1900", Medium: "oil", Categories: []string{"x", "y"},
				Licence: "CC0", LicenceURL: "https://l.example", Credit: "gift", Page: "https://p.example", ExternalID: "E"}},
		"JSON with a BOM": {"metadata.json", "\uFEFF[{\"file\":\"a.jpg\",\"title\":\"é\\u0301\"}]", folder.Row{File: "a.jpg", Title: "é\u0301"}},
		"a number of many digits": {"metadata.json", `[{"file":"a.jpg","external_id":12345678901234567890,"year":1871.0}]`,
			folder.Row{File: "a.jpg", ExternalID: "12345678901234567890", Year: 1871}},
		"nothing known":                      {"metadata.json", `[{"file":"a.jpg","title":null,"tags":[],"size":{"w":1}}]`, folder.Row{File: "a.jpg"}},
		"name beside the key that is a file": {"metadata.json", `{"a.jpg":{"name":"Sunflowers","title":"Sunflowers"}}`, folder.Row{File: "a.jpg", Title: "Sunflowers"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, map[string]string{c.file: c.content, "a.jpg": ""})
			listing, err := folder.Scan(t.Context(), dir)
			if err != nil {
				t.Fatalf("%.300v", err)
			}
			var want palate.Source
			for _, f := range listing.Files {
				want = palate.Source{Address: f.Path, Site: "folder", OriginalName: "a.jpg", RetrievedAt: f.Source.RetrievedAt}
			}
			w := c.want
			want.Title, want.Artist, want.Year, want.Date, want.Medium, want.Categories = w.Title, w.Artist, w.Year, w.Date, w.Medium, w.Categories
			want.Licence, want.LicenceURL, want.Credit, want.Page, want.ExternalID = w.Licence, w.LicenceURL, w.Credit, w.Page, w.ExternalID
			if len(listing.Files) != 1 || !reflect.DeepEqual(listing.Files[0].Source, want) {
				t.Errorf("got %.500v, want %.500v", fmt.Sprintf("%+v", listing.Files), fmt.Sprintf("%+v", want))
			}
		})
	}
}

func TestMetadataThatCanNotBeMeantIsRefusedInOneShortLine(t *testing.T) {
	huge := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct{ file, content, says string }{
		"two columns of one meaning":  {"metadata.csv", "author,creator,file\nA,B,a.jpg\n", `"author" and "creator" both mean artist`},
		"one column twice":            {"metadata.csv", "file,title,Title\na.jpg,A,B\n", `"Title" is there twice`},
		"one field twice":             {"metadata.json", `[{"file":"a.jpg","author":"A","creator":"B"}]`, "entry 1: \"author\" and \"creator\""},
		"a header of another kind":    {"metadata.csv", "file;title\na.jpg;A\n", "file;title"},
		"a header without an end":     {"metadata.csv", huge, `no column "file"`},
		"a quote without an end":      {"metadata.csv", "file,title\na.jpg,\"A\n", "line 2"},
		"UTF-16":                      {"metadata.csv", "\xff\xfef\x00i\x00l\x00e\x00\n\x00", `no column "file"`},
		"a huge name":                 {"metadata.csv", "file\n/" + huge + "/a.jpg\n", "same folder"},
		"a file above":                {"metadata.csv", "file\nb/../../a.jpg\n", "same folder or below"},
		"a name without letters":      {"metadata.csv", "file,title\n,A\n", "same folder"},
		"a huge year":                 {"metadata.csv", "file,year\na.jpg," + huge + "\n", "whole number"},
		"a year with a half":          {"metadata.json", `[{"file":"a.jpg","year":1871.5}]`, "whole number"},
		"something behind the end":    {"metadata.json", `[{"file":"a.jpg"}] [1]`, "want a list of objects"},
		"rows that are no objects":    {"metadata.json", `["a.jpg"]`, "want a list of objects"},
		"half a file":                 {"metadata.json", `[{"file":"a.jpg"`, "want a list of objects"},
		"an entry that names no file": {"metadata.json", `[{"title":"A"}]`, "entry 1: file"},
		"a list of other things":      {"metadata.json", `[{"file":"a.jpg","tags":[1]}]`, "list of texts"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, map[string]string{c.file: c.content, "a.jpg": ""})
			_, err := folder.Scan(t.Context(), dir)
			if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), filepath.Join(dir, c.file)) {
				t.Errorf("got %.500v, want ErrInvalid that says %q", err, c.says)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("got an error of %d bytes", len(err.Error()))
			}
		})
	}
}

// The same name is written in two forms; what is the very same comes first.
func TestNamesAreMatchedInAnyFormOfTheirAccents(t *testing.T) {
	const composed, apart = "\u00e9tude.jpg", "e\u0301tude.jpg"
	titles := func(dir string) map[string]string {
		t.Helper()
		listing, err := folder.Scan(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(listing.Unmatched) != 0 {
			t.Errorf("got unmatched %q, want none", listing.Unmatched)
		}
		got := map[string]string{}
		for _, f := range listing.Files {
			got[filepath.Base(f.Path)] = f.Source.Title
		}
		return got
	}
	for _, c := range []struct{ file, row string }{{composed, apart}, {apart, composed}, {apart, apart}} {
		got := titles(tree(t, map[string]string{c.file: "", "metadata.csv": "file,title\n" + c.row + ",A study\n"}))
		if len(got) != 1 || !slices.Contains([]string{got[composed], got[apart]}, "A study") {
			t.Errorf("file %+q, row %+q: got %q, want the title", c.file, c.row, got)
		}
	}
	dir := tree(t, map[string]string{composed: "", apart: ""})
	if entries, err := os.ReadDir(dir); err != nil || len(entries) < 2 {
		return // a file system that takes the two for one
	}
	if err := os.WriteFile(filepath.Join(dir, "metadata.csv"), []byte("file,title\n"+apart+",apart\n"+composed+",composed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := titles(dir); got[composed] != "composed" || got[apart] != "apart" {
		t.Errorf("got %q, want each its own", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "metadata.csv"), []byte("file,title\n"+composed+",composed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := titles(dir); got[composed] != "composed" || got[apart] != "" {
		t.Errorf("got %q, want the row for the file of that very name alone", got)
	}
}

func TestMetadataBelongToTheirOwnFolder(t *testing.T) {
	dir := tree(t, map[string]string{
		"a.jpg": "", "metadata.csv": "file,title\na.jpg,above\nb.jpg,nowhere\n",
		"below/a.jpg": "", "below/b.jpg": "", "below/metadata.json": `{"a.jpg": {"title": "below"}}`,
	})
	listing, err := folder.Scan(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range listing.Files {
		rel, err := filepath.Rel(dir, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(rel)+"="+f.Source.Title)
	}
	if want := []string{"a.jpg=above", "below/a.jpg=below", "below/b.jpg="}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := []string{filepath.Join(dir, "metadata.csv") + ": b.jpg"}; !slices.Equal(listing.Unmatched, want) {
		t.Errorf("got unmatched %v, want %v", listing.Unmatched, want)
	}
}

// A file's own name need not be text, its address must be.
func TestANameThatIsNotUTF8HasAnAddress(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "B\xe4ume.jpg")
	if os.WriteFile(path, nil, 0o644) != nil {
		return // a file system without such names
	}
	listing, err := folder.Scan(t.Context(), dir)
	if err != nil || len(listing.Files) != 1 {
		t.Fatalf("got %+v and %v, want one file", listing, err)
	}
	f := listing.Files[0]
	if f.Path != path || f.Source.OriginalName != "B\uFFFDume.jpg" || !strings.HasPrefix(f.Source.Address, "file:///") || !strings.HasSuffix(f.Source.Address, "/B%E4ume.jpg") {
		t.Errorf("got %q at %q, called %q", f.Path, f.Source.Address, f.Source.OriginalName)
	}
}
