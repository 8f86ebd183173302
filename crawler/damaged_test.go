package crawler_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"net/http"
	"testing"

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
			if asked != test.requests || find.Damaged != test.damaged || report.Damaged != damaged {
				t.Errorf("%d requests, damaged %v, %d by the report; want %d, %v, %d", asked, find.Damaged, report.Damaged, test.requests, test.damaged, damaged)
			}
			if (test.reason == "") != (len(kept) == 1) || test.reason != "" && report.Lost[test.reason] != 1 {
				t.Errorf("kept %d, lost %v, want %q", len(kept), report.Lost, test.reason)
			}
		})
	}
}
