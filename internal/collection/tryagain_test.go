package collection_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
)

// A round in which an earlier palate lost a picture as AVIF is gone on with by
// one that reads AVIF, and has it with what its page says.
func TestARoundGoneOnWithTakesWhatCanBeReadNow(t *testing.T) {
	picture, err := os.ReadFile(filepath.FromSlash("../picture/testdata/heif/10-bit.avif"))
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a.avif":
			w.Header().Set("Content-Type", "image/avif")
			_, _ = w.Write(picture)
		case "/":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<img src="/a.avif" alt="A picture of night">`))
		default:
			http.NotFound(w, r)
		}
	}))
	defer site.Close()
	const name, page = "site", "http://site.test/"
	c, err := collection.Open(t.Context(), collection.DefaultConfig(t.TempDir(), t.TempDir()), collection.Silent{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Catalog.BeginCrawl(t.Context(), name, []crawler.Task{{Kind: crawler.Page, URL: page}, {Kind: crawler.Page, URL: page + "more"}}); err != nil {
		t.Fatal(err)
	}
	finish := func(o crawler.Outcome, found ...crawler.Task) {
		t.Helper()
		tasks, _, err := c.Catalog.NextTasks(t.Context(), name, 1)
		if err == nil {
			_, err = c.Catalog.FinishTask(t.Context(), name, tasks[0], o, found)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	finish(crawler.Outcome{State: crawler.Visited}, crawler.Task{Kind: crawler.Image, URL: page + "a.avif", Referer: page})
	finish(crawler.Outcome{State: crawler.Lost, Reason: "unsupported_avif"})

	config := crawler.DefaultConfig()
	config.Site.Delay, config.Retries, config.MinWidth, config.MinHeight = 0, 0, 1, 1
	config.Contact, config.PrivateHosts = "someone@palate.test", []string{"site.test"}
	seed, err := crawler.ParseSeed(page)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, site.Listener.Addr().String())
	}
	report, err := c.Crawl(t.Context(), collection.Crawl{Name: name, Config: config, Seeds: []crawler.Seed{seed}, Dial: dial})
	if err != nil || report.Kept != 1 || !report.Resumed || report.Lost["unsupported_avif"] != 0 {
		t.Fatalf("%+v, %v; want the round resumed and the picture kept", report, err)
	}
	list, err := c.Catalog.ListImages(t.Context(), catalog.ImageQuery{Limit: 10})
	if err != nil || len(list.Images) != 1 || list.Images[0].Format != "avif" || list.Images[0].Title() != "A picture of night" {
		t.Errorf("%+v, %v; want the picture and its title", list.Images, err)
	}
}
