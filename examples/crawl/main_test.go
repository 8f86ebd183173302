package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestASiteIsCrawledIntoMemory(t *testing.T) {
	site := http.NewServeMux()
	site.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `<html><body><a href="/piece/1">one</a> <a href="/piece/2">two</a></body></html>`)
	})
	for n := range 2 {
		site.HandleFunc(fmt.Sprint("/piece/", n+1), func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `<html><head><title>Work %d</title></head><body><h1>Work %d</h1><img src="/%d.jpg" alt="Work %d"></body></html>`, n+1, n+1, n+1, n+1)
		})
		site.HandleFunc(fmt.Sprintf("/%d.jpg", n+1), func(w http.ResponseWriter, _ *http.Request) {
			m := image.NewNRGBA(image.Rect(0, 0, 400, 300))
			for i := range m.Pix {
				m.Pix[i] = uint8(i * (n + 3) / 7)
			}
			m.SetNRGBA(0, 0, color.NRGBA{1, 2, 3, 255})
			_ = jpeg.Encode(w, m, nil)
		})
	}
	server := httptest.NewServer(site)
	defer server.Close()
	var out bytes.Buffer
	if err := run(t.Context(), &out, server.URL+"/", "you@example.org"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"jpeg 400×300", "/1.jpg", "/2.jpg", "3 pages, 2 pictures"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%swithout %q", out.String(), want)
		}
	}
}
