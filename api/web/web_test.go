package web_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/api/web"
)

func get(t *testing.T, f web.File, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, f.Path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func TestEveryFileOfThePageIsServed(t *testing.T) {
	types := map[string]string{"": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
		".png": "image/png", ".webmanifest": "application/manifest+json"}
	// The server sends it packed, see package api.
	var sent bytes.Buffer
	packer, err := gzip.NewWriterLevel(&sent, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for _, f := range web.Files {
		if path.Ext(f.Path) == ".png" || f.Path == "/docs.css" { // which the page does not load
			continue
		}
		body := get(t, f).Body.Bytes()
		whole += len(body)
		packer.Reset(&sent)
		if _, err := packer.Write(body); err != nil || packer.Close() != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d files of %d bytes, sent as %d", len(web.Files), whole, sent.Len())
	if len(web.Files) < 20 || sent.Len() > 80_000 || whole > 150_000 {
		t.Errorf("the page has %d files of %d bytes, sent as %d, want at most 150 kB and 80 kB without pictures", len(web.Files), whole, sent.Len())
	}
	if script := get(t, web.Files[slices.IndexFunc(web.Files, func(f web.File) bool { return f.Path == "/app.js" })]).Body.String(); strings.Contains(script, "\n//") || strings.Contains(script, "\n\t") {
		t.Errorf("comments or spaces are served: %.200s", script)
	}
	for _, f := range web.Files {
		w := get(t, f)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != types[path.Ext(f.Path)] || w.Body.Len() < 100 {
			t.Errorf("%s: got status %d, %q and %d bytes, want %q", f.Path, w.Code, w.Header().Get("Content-Type"), w.Body.Len(), types[path.Ext(f.Path)])
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: got %s %q, want %q", f.Path, name, got, want)
			}
		}
		if part := get(t, f, "Range", "bytes=0-9"); part.Code != http.StatusPartialContent || part.Body.Len() != 10 {
			t.Errorf("%s: a part: got status %d and %d bytes", f.Path, part.Code, part.Body.Len())
		}
	}
}

// The page's own policy stops whatever comes from elsewhere, or stands in the
// page itself: there must be none of it.
func TestThePageKeepsItsOwnPolicy(t *testing.T) {
	served := map[string]string{}
	for _, f := range web.Files {
		w := get(t, f)
		served[f.Path] = w.Body.String()
		policy := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: got the policy %q, want %s in it", f.Path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: got the policy %q", f.Path, policy)
		}
	}
	page := served["/"]
	references := regexp.MustCompile(`(?:src|href)="?([^"\s>]*)`).FindAllStringSubmatch(page, -1)
	if len(references) < 5 {
		t.Errorf("%d references were found in the page: %s", len(references), page)
	}
	for _, reference := range references {
		path := reference[1]
		if strings.HasPrefix(path, "#") || path == "" {
			continue
		}
		path = "/" + strings.TrimPrefix(strings.TrimPrefix(path, "./"), "/")
		if _, there := served[path]; !there && !strings.HasPrefix(path, "/v1/") {
			t.Errorf("the page refers to %q, which is not served", reference[1])
		}
	}
	imports := 0
	for from, text := range served {
		for _, imported := range regexp.MustCompile(`from\s*"\.(/[^"]+)"`).FindAllStringSubmatch(text, -1) {
			imports++
			if _, there := served[imported[1]]; !there {
				t.Errorf("%s imports %s, which is not served", from, imported[1])
			}
		}
	}
	if imports < len(served) {
		t.Errorf("%d imports were found in %d files", imports, len(served))
	}
	for what, pattern := range map[string]string{
		"a script in the page":  `<script(?:\s[^>]*)?>\s*[^<\s]`,
		"a style in the page":   `<style|\sstyle=`,
		"a handler in the page": `<[^>]*\son[a-z]+=`,
		"another host":          `(?:src|href|url\(|fetch\()\s*=?\s*["']?(?:https?:)?//`,
	} {
		for path, text := range served {
			if found := regexp.MustCompile(pattern).FindString(text); found != "" && path != "/icon.svg" {
				t.Errorf("%s has %s: %q", path, what, found)
			}
		}
	}
	// What comes from a picture's source is text, never markup.
	for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("} {
		for path, text := range served {
			if strings.HasSuffix(path, ".js") && strings.Contains(text, sink) {
				t.Errorf("%s uses %s", path, sink)
			}
		}
	}
}
