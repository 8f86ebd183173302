package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// heldKinds are the media types that are answered with an ETag, and packed
// where the client takes that: what is small enough to be held until its end.
var heldKinds = map[string]bool{
	"application/json": true, "application/yaml": true, atomType: true,
	"text/html": true, "text/css": true, "text/javascript": true, "image/svg+xml": true,
}

// leastPacked is how long an answer has to be for gzip to be worth its while.
const leastPacked = 1 << 10

// answers gives every GET its HEAD, and every answer of a kind that is held its
// ETag, 304 and gzip.
func answers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r
		if r.Method == http.MethodHead {
			// net/http sends no body to a HEAD, whatever is written.
			asked = r.WithContext(context.WithValue(r.Context(), requestKey{}, r))
			asked.Method = http.MethodGet
		}
		if asked.Method != http.MethodGet {
			next.ServeHTTP(w, asked)
			return
		}
		a := &heldAnswer{ResponseWriter: w}
		next.ServeHTTP(a, asked)
		a.send(r)
	})
}

// heldAnswer holds back a 200 of one of the kinds, and lets the rest pass.
type heldAnswer struct {
	http.ResponseWriter
	decided, held bool
	body          bytes.Buffer
}

func (a *heldAnswer) WriteHeader(status int) {
	if a.decided {
		return
	}
	header := a.Header()
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	a.decided = status >= http.StatusOK
	a.held = status == http.StatusOK && heldKinds[kind] && header.Get("Content-Encoding") == ""
	if !a.held {
		a.ResponseWriter.WriteHeader(status)
	}
}

func (a *heldAnswer) Write(p []byte) (int, error) {
	if !a.decided {
		a.WriteHeader(http.StatusOK)
	}
	if a.held {
		return a.body.Write(p)
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *heldAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// packers are kept, for one takes 800 kB.
var packers = sync.Pool{New: func() any {
	packer, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level that there is
	return packer
}}

// send sends what was held.
func (a *heldAnswer) send(r *http.Request) {
	if !a.held {
		return
	}
	header, body := a.Header(), a.body.Bytes()
	header.Del("Content-Length")
	header.Add("Vary", "Accept-Encoding")
	if header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "private, no-cache") // asked for again with the ETag
	}
	// Weak, for it is the same packed and not.
	etag := etagOf(body)
	header.Set("ETag", etag)
	if namesETag(r.Header.Values("If-None-Match"), etag) {
		header.Del("Content-Type")
		a.ResponseWriter.WriteHeader(http.StatusNotModified)
		return
	}
	if len(body) >= leastPacked && takesGzip(r.Header.Values("Accept-Encoding")) {
		var packed bytes.Buffer
		packer := packers.Get().(*gzip.Writer)
		packer.Reset(&packed)
		_, err := packer.Write(body)
		if err == nil {
			err = packer.Close()
		}
		packers.Put(packer)
		if err == nil { // a buffer takes everything
			header.Set("Content-Encoding", "gzip")
			body = packed.Bytes()
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	a.ResponseWriter.WriteHeader(http.StatusOK)
	// The client may have gone; there is nobody left to tell.
	_, _ = a.ResponseWriter.Write(body)
}

// etagOf is the ETag of a body that is held.
func etagOf(body []byte) string { return fmt.Sprintf(`W/"%x"`, sha256.Sum256(body))[:3+32] + `"` }

// namesETag reports whether If-None-Match names the ETag (RFC 9110, 13.1.2).
func namesETag(conditions []string, etag string) bool {
	for one := range strings.SplitSeq(strings.Join(conditions, ","), ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// takesGzip reads Accept-Encoding (RFC 9110, 12.5.3).
func takesGzip(accept []string) bool {
	all := false
	for one := range strings.SplitSeq(strings.ToLower(strings.Join(accept, ",")), ",") {
		coding, weight, _ := strings.Cut(one, ";")
		weight = strings.TrimPrefix(strings.TrimSpace(weight), "q=")
		wanted := weight == "" || strings.Trim(weight, "0.") != ""
		switch strings.TrimSpace(coding) {
		case "gzip", "x-gzip":
			return wanted
		case "*":
			all = wanted
		}
	}
	return all
}
