// Package web holds the page of palate, which uses nothing but the public
// API.
package web

import (
	"bytes"
	"embed"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/html"
	"github.com/tdewolff/minify/v2/js"
)

//go:embed index.html *.js style.css docs.css icon.svg icon-192.png icon-512.png app.webmanifest
var content embed.FS

// contentPolicy lets the page load from its own server alone.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// File is one file of the page.
type File struct {
	Path string // that it is served at
	name string
	text func() []byte
}

// modules are the parts of the page's program, by feature.
var modules = []string{
	"app", "base", "batch", "bring", "caption", "card", "crawl", "events", "filters", "fresh", "grid", "heat", "judge", "layout", "learn", "learned", "list", "map", "news", "remove", "route", "select", "state", "stream",
	"taste", "teach", "trash", "unsent", "viewer", "work", "worker", "zoom",
}

// Files are all files of the page.
var Files = files()

func files() []File {
	all := []File{file("/", "index.html"), file("/style.css", "style.css"), file("/docs.css", "docs.css"), file("/icon.svg", "icon.svg"),
		file("/icon-192.png", "icon-192.png"), file("/icon-512.png", "icon-512.png"), file("/app.webmanifest", "app.webmanifest")}
	for _, name := range modules {
		all = append(all, file("/"+name+".js", name+".js"))
	}
	return all
}

func file(path, name string) File {
	return File{path, name, sync.OnceValue(func() []byte { return short(name) })}
}

// smaller leaves out what only whoever reads the sources needs: comments,
// spaces, and names within functions. Those of functions stay, for errors that
// people send.
var smaller = sync.OnceValue(func() *minify.M {
	m := minify.New()
	m.Add(".js", &js.Minifier{})
	m.Add(".css", &css.Minifier{})
	m.Add(".html", &html.Minifier{KeepDocumentTags: true, KeepDefaultAttrVals: true})
	return m
})

// short is an embedded file as smaller leaves it; one that can't be
// made shorter is served as it is.
func short(name string) []byte {
	text, err := content.ReadFile(name)
	if err != nil {
		return nil // can't be: the names are those embedded
	}
	var out bytes.Buffer
	if err := smaller().Minify(path.Ext(name), &out, bytes.NewReader(text)); err != nil {
		return text
	}
	return out.Bytes()
}

// ServeHTTP sends the file.
func (f File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	Secure(w.Header())
	if path.Ext(f.name) == ".webmanifest" { // which no system's table has
		w.Header().Set("Content-Type", "application/manifest+json")
	}
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.text()))
}

// Secure says of what is shown in a browser that it loads from its own server
// alone, is what it says it is, and is asked for again.
func Secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
}
