package crawler_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
)

func TestAJPEGWithoutItsEndIsFetchedAgainThenKeptAsDamaged(t *testing.T) {
	var whole bytes.Buffer
	if err := jpeg.Encode(&whole, image.NewGray(image.Rect(0, 0, 400, 300)), nil); err != nil {
		t.Fatal(err)
	}
	noEnd, half := whole.Bytes()[:whole.Len()-2], whole.Bytes()[:whole.Len()/2]
	for name, test := range map[string]struct {
		first, second []byte
		requests      int
		damaged       bool
		reason        string
	}{
		"whole":                    {whole.Bytes(), nil, 1, false, ""},
		"whole at the second time": {half, whole.Bytes(), 2, false, ""},
		"without its end marker":   {noEnd, noEnd, 2, true, ""},
		"more at the second time":  {half, noEnd, 2, true, ""},
		"half of it":               {half, half, 2, false, "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			kept, report := crawlFiles(t, quick(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/a.jpg" {
					files{"site.test/": `<img src="a.jpg">`}.ServeHTTP(w, r)
					return
				}
				asked++
				w.Header().Set("Content-Type", "image/jpeg")
				if asked == 1 {
					_, _ = w.Write(test.first)
				} else {
					_, _ = w.Write(test.second)
				}
			}))
			var find crawler.Find
			for _, f := range kept {
				find = f
			}
			damaged := 0
			if test.damaged {
				damaged = 1
			}
			if asked != test.requests || (find.Damage != "") != test.damaged || report.Damaged != damaged {
				t.Errorf("%d requests, damage %q, %d by the report; want %d, %v, %d", asked, find.Damage, report.Damaged, test.requests, test.damaged, damaged)
			}
			if (test.reason == "") != (len(kept) == 1) || test.reason != "" && report.Lost[test.reason] != 1 {
				t.Errorf("kept %d, lost %v, want %q", len(kept), report.Lost, test.reason)
			}
		})
	}
}

// TestWhatIsMissingOfAJPEGIsFetchedByRange has answers without a length that
// end too early, as caches and scripts give them, and files that are cut
// where they lie.
func TestWhatIsMissingOfAJPEGIsFetchedByRange(t *testing.T) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, 400, 300)), nil); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	noEnd := whole[:len(whole)-2]
	half := len(whole) / 2
	for name, test := range map[string]struct {
		etag    string
		first   []byte // the first answer, of no stated length
		file    []byte // what lies there afterwards
		want    []string
		damaged bool
	}{
		"the rest":                {`"v1"`, whole[:half], whole, []string{"/a.jpg", fmt.Sprintf("/a.jpg bytes=%d-", half)}, false},
		"nothing more":            {`"v1"`, noEnd, noEnd, []string{"/a.jpg", fmt.Sprintf("/a.jpg bytes=%d-", len(noEnd))}, true},
		"without a name":          {"", whole[:half], whole, []string{"/a.jpg", "/a.jpg"}, false},
		"another file, cut again": {`"v2"`, whole[:half], noEnd, []string{"/a.jpg", fmt.Sprintf("/a.jpg bytes=%d-", half)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			sent := 0
			q := &requests{next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/a.jpg" {
					files{"site.test/": `<img src="a.jpg">`}.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "image/jpeg")
				if sent++; sent == 1 {
					if test.etag != "" {
						w.Header().Set("ETag", `"v1"`)
					}
					_, _ = w.Write(test.first)
					w.(http.Flusher).Flush() // sent in chunks
					return
				}
				if test.etag != "" {
					w.Header().Set("ETag", test.etag)
				}
				http.ServeContent(w, r, "a.jpg", time.Time{}, bytes.NewReader(test.file))
			})}
			kept, report := crawlFiles(t, quick(), q)
			if got := q.of("/a.jpg"); !slices.Equal(got, test.want) {
				t.Errorf("asked for %q, want %q", got, test.want)
			}
			for _, find := range kept {
				if !bytes.Equal(find.Content, test.file) || (find.Damage != "") != test.damaged {
					t.Errorf("kept %d bytes, damage %q; want %d, %v", len(find.Content), find.Damage, len(test.file), test.damaged)
				}
			}
			if len(kept) != 1 {
				t.Errorf("kept %d: %v", len(kept), report.Lost)
			}
		})
	}
}
