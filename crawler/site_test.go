package crawler_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate/crawler"
)

// site serves a handler to every host over pipes in memory, so that it runs
// in a synctest bubble too.
type site struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func serve(t *testing.T, h http.Handler) *site {
	t.Helper()
	s := &site{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: h}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

func (s *site) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

func (s *site) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

func (s *site) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (s *site) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case s.conns <- there:
		return here, nil
	case <-s.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// files is a handler of fixed answers by host and path. An answer that
// begins with "png" is a picture of its own colour, "png 300x200".
type files map[string]string

func (f files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Host + r.URL.RequestURI()
	text, ok := f[key]
	var width, height int
	switch {
	case !ok:
		http.NotFound(w, r)
	case strings.HasPrefix(text, "png "):
		if n, err := fmt.Sscanf(text, "png %dx%d", &width, &height); err != nil || n != 2 {
			panic(text)
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(paint(key, width, height))
	case strings.HasPrefix(text, "to "):
		w.Header().Set("Location", strings.TrimPrefix(text, "to "))
		w.WriteHeader(http.StatusFound)
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(text))
	}
}

// paint draws a picture whose pixels depend on the key.
func paint(key string, width, height int) []byte {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = key[i%len(key)]
	}
	img.SetGray(0, 0, color.Gray{Y: uint8(len(key))})
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// crawlFiles crawls fixed answers from http://site.test/ on and gives the
// addresses of what was kept.
func crawlFiles(t *testing.T, cfg crawler.Config, h http.Handler) (map[string]crawler.Find, crawler.Report) {
	t.Helper()
	s, c := serve(t, h), newCollection()
	cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	report, err := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: "http://site.test/"}})
	if err != nil && !errors.Is(err, crawler.ErrNothingKept) {
		t.Fatal(err)
	}
	out := map[string]crawler.Find{}
	for _, k := range c.all() {
		out[k.find.Source.Address] = k.find
	}
	return out, report
}

// httpServer serves on loopback and gives its address.
func httpServer(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// with answers every host: a page at "/", and at "/to" a redirect.
func (f files) with(page, to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := files{r.Host + "/": page, r.Host + "/to": "to " + to}
		own.ServeHTTP(w, r)
	})
}
