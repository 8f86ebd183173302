package folder_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
)

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"file,title\na.jpg,A\n", "file\n", "File Name,Year\r\n\"a \"\"b\"\".jpg\",1871.0\r\n", "file,file\na,b\n", "author,creator,file\n",
		"file,title\n\"a.jpg,A\n", "file;title\na.jpg;A\n", "\xff\xfe\x00", "file,categories\na,;; x ;\n", "name,id\na,\x00\n", ",\nfile\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) { parsed(t, "metadata.csv", content) })
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`[{"file":"a.jpg","title":"A","year":1871}]`, `{"a.jpg":{"tags":["x","y"]},"b.jpg":null}`, `[{"name":"a","FILE":"b"}]`, `[]`, `{}`, `null`,
		`[null]`, `[{"file":1e999}]`, `[{"file":"a","year":"-0.0"}]`, `[[[[[[`, `{"a":{"file":"b"}}`, `[{"file":"\ud800"}]`, `[] []`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) { parsed(t, "metadata.json", content) })
}

// parsed fails unless the content gives rows that a catalog can keep, or one
// short error that says where.
func parsed(t *testing.T, name string, content []byte) {
	rows, err := folder.Parse(name, content)
	if err != nil {
		if !errors.Is(err, palate.ErrInvalid) || !strings.HasPrefix(err.Error(), name) || len(err.Error()) > 2000 {
			t.Errorf("got %v, want ErrInvalid that says where", err)
		}
		return
	}
	for file, row := range rows {
		if !filepath.IsLocal(file) {
			t.Errorf("got a row of %q, which is no file of the folder or below it", file)
		}
		for _, text := range append([]string{file, row.Title, row.Artist, row.Date, row.Medium, row.Licence, row.LicenceURL, row.Credit, row.Page, row.ExternalID}, row.Categories...) {
			if !utf8.ValidString(text) {
				t.Errorf("got the text %q, which is not UTF-8", text)
			}
		}
		for _, category := range row.Categories {
			if strings.TrimSpace(category) != category || category == "" {
				t.Errorf("got the category %q", category)
			}
		}
	}
}
