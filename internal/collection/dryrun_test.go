package collection_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/job"
)

// A dry run of a crawl of this collection knows what is here and what earlier
// rounds brought, fetches no picture and leaves no crawl behind.
func TestADryRunKnowsWhatIsHere(t *testing.T) {
	picture, err := os.ReadFile(filepath.FromSlash("../picture/testdata/heif/10-bit.avif"))
	if err != nil {
		t.Fatal(err)
	}
	fetched := make(chan string, 100)
	var moved atomic.Bool // the picture that came is not shown any more
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, ".avif"):
			fetched <- r.URL.Path
			w.Header().Set("Content-Type", "image/avif")
			_, _ = w.Write(picture)
		case r.URL.Path == "/" && moved.Load():
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<img src="/d.avif" alt="Dawn"><img src="/e.avif" alt="Dusk">`))
		case r.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<img src="/a.avif" alt="Night"><img src="/b.avif" alt="Day"><img src="/c.avif" alt="Noon">`))
		default:
			http.NotFound(w, r)
		}
	}))
	defer site.Close()
	c, err := collection.Open(t.Context(), collection.DefaultConfig(t.TempDir(), t.TempDir()), collection.Silent{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, port, err := net.SplitHostPort(site.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const name = "site"
	seeds := []crawler.Seed{{URL: "http://127.0.0.1:" + port + "/"}}
	config := crawler.DefaultConfig()
	config.Contact, config.Site.Delay, config.Retries, config.MinWidth, config.MinHeight = "me@palate.test", 0, 0, 1, 1
	look := func(most int) (found int, report crawler.Report) {
		t.Helper()
		config.MaxPictures = most
		report, err := c.DryRunOf(t.Context(), name, config, seeds, func(crawler.Task) { found++ })
		if err != nil {
			t.Fatal(err)
		}
		return found, report
	}
	if found, report := look(2); found != 2 || report.Known != 0 || len(fetched) > 0 {
		t.Errorf("before: found %d, %+v and %d fetched; want 2, as many as may come", found, report, len(fetched))
	}
	if _, err := c.Catalog.CrawlProgress(t.Context(), name); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("a crawl was left behind: %v", err)
	}
	config.MaxPictures = 1
	if _, err := job.Do(t.Context(), c.Catalog, job.Crawl, "", func(ctx context.Context, j *job.Job) (crawler.Report, error) {
		return c.CrawlAs(ctx, j, name, config, seeds)
	}); err != nil {
		t.Fatal(err)
	}
	before := len(fetched)
	if found, report := look(2); found != 1 || report.Known != 1 || len(fetched) != before {
		t.Errorf("afterwards: found %d, %+v; want 1 beside the one that is here", found, report)
	}
	moved.Store(true)
	if found, report := look(2); found != 1 || report.Known != 0 {
		t.Errorf("later: found %d, %+v; want 1, since all rounds together may bring 2", found, report)
	}
}
