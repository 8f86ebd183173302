// Package web holds the page of palate, which uses nothing but the public
// API.
package web

import (
	"bytes"
	"embed"
	"net/http"
	"time"
)

//go:embed index.html *.js style.css docs.css icon.svg
var content embed.FS

// contentPolicy lets the page load from its own server alone.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// File is one file of the page.
type File struct {
	Path string // that it is served at
	name string
}

// modules are the parts of the page's program, by feature.
var modules = []string{
	"app", "base", "caption", "card", "filters", "grid", "heat", "judge", "layout", "learned", "list", "map", "news", "remove", "route", "state", "taste", "teach", "trash",
	"viewer", "work", "zoom",
}

// Files are all files of the page.
var Files = files()

func files() []File {
	all := []File{{"/", "index.html"}, {"/style.css", "style.css"}, {"/docs.css", "docs.css"}, {"/icon.svg", "icon.svg"}}
	for _, name := range modules {
		all = append(all, File{"/" + name + ".js", name + ".js"})
	}
	return all
}

// ServeHTTP sends the file.
func (f File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := content.ReadFile(f.name)
	if err != nil {
		http.NotFound(w, r) // can't be: the names are those embedded
		return
	}
	Secure(w.Header())
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(text))
}

// Secure says of what is shown in a browser that it loads from its own server
// alone, is what it says it is, and is asked for again.
func Secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
}
