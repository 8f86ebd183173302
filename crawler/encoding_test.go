package crawler_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/test/race"
)

func packed(t testing.TB, coding string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zlib":
		w = zlib.NewWriter(&out)
	case "flate":
		w, _ = flate.NewWriter(&out, 9)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// encoded serves a page with one picture; one of the paths is sent as the
// header says and the pack does.
type encoded struct {
	path, header string
	pack         func([]byte) []byte
}

func (e encoded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, body := "text/html", []byte(`<img src="/picture"><a href="/feed">feed</a>`)
	switch r.URL.Path {
	case "/robots.txt":
		kind, body = "text/plain", []byte("User-agent: *\nDisallow: /closed\n")
	case "/picture":
		kind, body = "image/png", paint("x", 300, 300)
	case "/feed":
		body = []byte("<p>nothing")
	}
	if r.URL.Path == e.path {
		body = e.pack(body)
		w.Header().Set("Content-Encoding", e.header)
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body)
}

func TestOneLayerOfEncodingIsUndoneWhateverIsFetched(t *testing.T) {
	for name, test := range map[string]encoded{
		"gzip":                {header: "gzip", pack: func(b []byte) []byte { return packed(t, "gzip", b) }},
		"x-gzip":              {header: "X-GZip", pack: func(b []byte) []byte { return packed(t, "gzip", b) }},
		"deflate":             {header: "deflate", pack: func(b []byte) []byte { return packed(t, "zlib", b) }},
		"deflate unwrapped":   {header: "deflate", pack: func(b []byte) []byte { return packed(t, "flate", b) }},
		"identity and gzip":   {header: "identity, gzip", pack: func(b []byte) []byte { return packed(t, "gzip", b) }},
		"identity":            {header: "identity", pack: bytes.Clone},
		"padding after gzip":  {header: "gzip", pack: func(b []byte) []byte { return append(packed(t, "gzip", b), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) }},
		"two members of gzip": {header: "gzip", pack: func(b []byte) []byte { return append(packed(t, "gzip", b[:9]), packed(t, "gzip", b[9:])...) }},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/", "/picture", "/robots.txt", "/feed"} {
				test.path = path
				kept, report := crawlFiles(t, quick(), test)
				if len(kept) != 1 || len(report.Lost) > 0 {
					t.Errorf("%s encoded: kept %d, lost %v %v", path, len(kept), report.Lost, report.Examples)
				}
			}
		})
	}
}

func TestOtherEncodingsAreRefusedByName(t *testing.T) {
	twice := func(b []byte) []byte { return packed(t, "gzip", packed(t, "gzip", b)) }
	for header, pack := range map[string]func([]byte) []byte{"gzip, gzip": twice, "br": bytes.Clone, "zstd": bytes.Clone, "x-unheard-of": bytes.Clone} {
		for _, path := range []string{"/", "/picture"} {
			_, report := crawlFiles(t, quick(), encoded{path, header, pack})
			reason := "unsupported_encoding"
			if path == "/" {
				reason = "page_" + reason
			}
			if report.Lost[reason] != 1 || !strings.Contains(report.Examples[reason][0].Detail, header) {
				t.Errorf("%s by %q: lost %v %v, want %s with its name", path, header, report.Lost, report.Examples, reason)
			}
		}
	}
}

// TestWhatUnpacksWithoutEndIsEndedSoon sends 400 MB as 400 kB.
func TestWhatUnpacksWithoutEndIsEndedSoon(t *testing.T) {
	race.Long(t)
	var bomb bytes.Buffer
	w, zeros := gzip.NewWriter(&bomb), make([]byte, 1<<20)
	for range 100 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/picture", "/robots.txt", "/feed"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, report := crawlFiles(t, quick(), encoded{path, "x-gzip", func([]byte) []byte { return bomb.Bytes() }})
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Errorf("%s: %d MiB were taken", path, took>>20)
		}
		reason := map[string]string{"/": "page_unpacks_too_far", "/picture": "unpacks_too_far", "/feed": "page_unpacks_too_far"}[path]
		if reason != "" && report.Lost[reason] != 1 {
			t.Errorf("%s: lost %v, want %s", path, report.Lost, reason)
		}
	}
}

func TestBrokenEncodingIsALossOfItsOwn(t *testing.T) {
	for name, test := range map[string]struct {
		pack   func([]byte) []byte
		reason string
	}{
		"not gzip": {bytes.Clone, "broken_encoding"},
		"cut":      {func(b []byte) []byte { p := packed(t, "gzip", b); return p[:len(p)/2] }, "cut_short"},
		"changed":  {func(b []byte) []byte { p := packed(t, "gzip", b); p[len(p)-6] ^= 1; return p }, "broken_encoding"},
	} {
		_, report := crawlFiles(t, quick(), encoded{"/picture", "gzip", test.pack})
		if report.Lost[test.reason] != 1 {
			t.Errorf("%s: lost %v, want %s", name, report.Lost, test.reason)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	for _, coding := range []string{"gzip", "zlib", "flate"} {
		f.Add(packed(f, coding, []byte("<p>some text some text")), coding == "gzip")
	}
	f.Fuzz(func(t *testing.T, data []byte, gz bool) {
		coding := "deflate"
		if gz {
			coding = "gzip"
		}
		out, err := io.ReadAll(crawler.Unpack(bytes.NewReader(data), coding, 1<<16))
		if len(out) > 1<<16 {
			t.Errorf("%d bytes came out, want 64 KiB at most", len(out))
		}
		if errors.Is(err, io.EOF) {
			t.Error("the end is an error")
		}
	})
}
