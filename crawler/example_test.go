package crawler_test

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"

	"github.com/palate-art/palate/crawler"
)

// A crawl into memory needs no collection.
func ExampleMemory() {
	site := http.NewServeMux()
	site.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<html><body><h1>Blue Hour</h1><img src="/blue.png"></body></html>`)
	})
	site.HandleFunc("/blue.png", func(w http.ResponseWriter, _ *http.Request) {
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 320, 240)))
	})
	server := httptest.NewServer(site)
	defer server.Close()

	config := crawler.DefaultConfig()
	config.Contact = "you@example.org"
	memory := crawler.NewMemory()
	c, err := crawler.New(config, memory, memory, crawler.Options{})
	if err != nil {
		panic(err)
	}
	report, err := c.Run(context.Background(), "an example", []crawler.Seed{{URL: server.URL + "/"}})
	if err != nil {
		panic(err)
	}
	for _, find := range memory.Finds() {
		fmt.Println(find.Format, find.Width, find.Height)
	}
	fmt.Println(report.Pages, report.Kept)
	// Output:
	// png 320 240
	// 1 1
}
