package ort_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

func TestGitHubGivesTheLibrary(t *testing.T) {
	zipArchive := zipped(t, entry{name: "../evil", text: []byte("x")}, entry{name: "runtime/lib/libruntime", text: library})
	for _, tc := range []struct {
		name    string
		file    string
		archive []byte
	}{
		{"tgz", "runtime.tgz", releaseArchive(t)},
		{"zip", "runtime.zip", zipArchive},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := config(t)
			c.Release.Archive, c.Release.ArchiveSHA256 = tc.file, sum(tc.archive)
			c.ReleaseURL = serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path { // GitHub sends on to another host
				case "/" + tc.file:
					http.Redirect(w, r, "/elsewhere", http.StatusFound)
				case "/elsewhere":
					w.Header().Set("Content-Length", fmt.Sprint(len(tc.archive)))
					_, _ = w.Write(tc.archive)
				}
			})
			var last, total int64
			c.Progress = func(_ string, done, all int64) {
				if all > 0 {
					last, total = done, all
				}
			}
			lib, err := ort.Find(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			wantLibrary(t, c, lib, ort.OriginGitHub)
			if size := int64(len(tc.archive)); last != size || total != size {
				t.Errorf("progress ended at %d of %d, want %d", last, total, size)
			}
			for _, dir := range []string{c.CacheDir, filepath.Dir(c.CacheDir), filepath.Dir(filepath.Dir(c.CacheDir))} {
				for _, name := range []string{"evil", "escaped"} {
					if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
						t.Errorf("the archive wrote %s into %s", name, dir)
					}
				}
			}
			lib, err = ort.Find(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			wantLibrary(t, c, lib, ort.OriginCache)
		})
	}
}

func TestGitHubThatFailsIsSaidAndNpmIsAsked(t *testing.T) {
	archive := releaseArchive(t)
	silent := silentAddress(t)
	for _, tc := range []struct {
		name   string
		change func(*testing.T, *ort.Config)
		want   string
	}{
		{"wrong hash", func(t *testing.T, c *ort.Config) {
			c.ReleaseURL = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive[:len(archive)-1]) })
		}, "SHA-256"},
		{"cut download", func(t *testing.T, c *ort.Config) {
			c.ReleaseURL = serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
				_, _ = w.Write(archive[:len(archive)/2])
			})
		}, "unexpected EOF"},
		{"404", func(t *testing.T, c *ort.Config) { c.ReleaseURL = serve(t, http.NotFound) }, "404"},
		{"nobody listens", func(*testing.T, *ort.Config) {}, "refused"},
		{"no answer to the connection", func(_ *testing.T, c *ort.Config) {
			c.ReleaseURL, c.ConnectTimeout = "https://"+silent, 100*time.Millisecond
		}, "timeout"},
		{"no answer to the request", func(_ *testing.T, c *ort.Config) {
			c.ReleaseURL, c.StallTimeout = "http://"+silent, 100*time.Millisecond
		}, "timeout"},
		{"stalls midway", func(t *testing.T, c *ort.Config) {
			c.StallTimeout = 200 * time.Millisecond
			c.ReleaseURL = serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write(archive[:100])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			})
		}, "no byte came"},
		{"too large", func(t *testing.T, c *ort.Config) {
			c.ReleaseURL = serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1099511627776")
				w.WriteHeader(http.StatusOK)
			})
		}, "announces"},
		{"no such entry", func(t *testing.T, c *ort.Config) {
			c.Release.ArchiveEntry = "runtime/lib/other"
			c.ReleaseURL = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
		}, "no file runtime/lib/other"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := config(t)
			tc.change(t, &c)
			_, err := ort.Find(context.Background(), c)
			if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(reason(err, ort.OriginGitHub), tc.want) {
				t.Errorf("got %v, want ErrUnavailable and github's reason with %q", err, tc.want)
			}
			c.NPMCommand = npm("pack", write(t, filepath.Join(t.TempDir(), "p"), npmArchive(t)))
			lib, err := ort.Find(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			wantLibrary(t, c, lib, ort.OriginNPM)
		})
	}
}

// silentAddress takes connections and never says a word.
func silentAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String() // the kernel takes them; nobody accepts
}

// reason is why a source gave nothing.
func reason(err error, origin string) string {
	var search *ort.SearchError
	if errors.As(err, &search) {
		for _, a := range search.Attempts {
			if a.Source == origin {
				return a.Reason
			}
		}
	}
	return ""
}

func TestNpmThatFailsIsSaid(t *testing.T) {
	good := npmArchive(t)
	for _, tc := range []struct {
		name   string
		change func(*ort.Config, func(string, []byte) []string)
		want   string
	}{
		{"no network", func(c *ort.Config, _ func(string, []byte) []string) { c.NPMCommand = npm("refuse", "") }, "ENOTFOUND"},
		{"not installed", func(c *ort.Config, _ func(string, []byte) []string) { c.NPMCommand = []string{"no-such-npm-client"} }, "no npm client"},
		{"not configured", func(c *ort.Config, _ func(string, []byte) []string) { c.NPMCommand = nil }, "no npm client"},
		{"leaves nothing", func(c *ort.Config, _ func(string, []byte) []string) { c.NPMCommand = npm("nothing", "") }, "left no"},
		{"hangs", func(c *ort.Config, _ func(string, []byte) []string) {
			c.NPMCommand, c.NPMTimeout = npm("hang", ""), 200*time.Millisecond
		}, "longer than"},
		{"wrong hash", func(c *ort.Config, pack func(string, []byte) []string) {
			c.NPMCommand = pack("pack", tgz(t, entry{name: "package/bin/libruntime", text: []byte("other")}))
		}, "SHA-256"},
		{"cut download", func(c *ort.Config, pack func(string, []byte) []string) {
			c.NPMCommand = pack("pack", good[:len(good)/2])
		}, "unexpected EOF"},
		{"no archive", func(c *ort.Config, pack func(string, []byte) []string) {
			c.NPMCommand = pack("pack", []byte("<html>no such package</html>"))
		}, "gzip"},
		{"no such entry", func(c *ort.Config, pack func(string, []byte) []string) {
			c.NPMCommand = pack("pack", tgz(t, entry{name: "package/README.md"}))
		}, "no file package/bin/libruntime"},
		{"the entry is a link", func(c *ort.Config, pack func(string, []byte) []string) {
			c.NPMCommand = pack("pack", tgz(t, entry{name: "package/bin/libruntime", link: "/etc/passwd"}))
		}, "no file package/bin/libruntime"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := config(t)
			tc.change(&c, func(mode string, payload []byte) []string {
				return npm(mode, write(t, filepath.Join(t.TempDir(), "payload"), payload))
			})
			_, err := ort.Find(context.Background(), c)
			if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(reason(err, ort.OriginNPM), tc.want) {
				t.Errorf("got %v, want ErrUnavailable and npm's reason with %q", err, tc.want)
			}
			if left, err := filepath.Glob(filepath.Join(c.CacheDir, "[^.]*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}
