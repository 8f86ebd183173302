package api

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// sentFile answers with a file; Range and If-None-Match are net/http's.
type sentFile struct {
	request   *http.Request
	content   io.ReadSeekCloser
	mediaType string
	etag      string
}

func (f sentFile) send(w http.ResponseWriter) error {
	mediaType := f.mediaType
	if wantsBytes(f.request.Header.Values("Accept")) {
		mediaType = "application/octet-stream"
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("ETag", `"`+f.etag+`"`)
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	w.Header().Add("Vary", "Accept")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	http.ServeContent(&fileWriter{ResponseWriter: w, request: f.request}, f.request, "", time.Time{}, f.content)
	return f.content.Close()
}

// VisitGetImageFileResponse sends the file.
func (f sentFile) VisitGetImageFileResponse(w http.ResponseWriter) error { return f.send(w) }

// VisitGetImageThumbnailResponse sends the thumbnail.
func (f sentFile) VisitGetImageThumbnailResponse(w http.ResponseWriter) error { return f.send(w) }

// VisitGetTrashThumbnailResponse sends the thumbnail.
func (f sentFile) VisitGetTrashThumbnailResponse(w http.ResponseWriter) error { return f.send(w) }

// wantsBytes reports a client that accepts application/octet-stream and no
// image: one that was generated for bytes.
func wantsBytes(accept []string) bool {
	bytes := false
	for one := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, attributes, err := mime.ParseMediaType(one)
		switch {
		case err != nil, strings.Trim(attributes["q"], "0.") == "" && attributes["q"] != "":
		case kind == "*/*", strings.HasPrefix(kind, "image/"):
			return false
		case kind == "application/octet-stream", kind == "application/*":
			bytes = true
		}
	}
	return bytes
}

// fileWriter makes problems of what net/http says in plain text: a range that
// the file does not have, a condition that does not hold.
type fileWriter struct {
	http.ResponseWriter
	request *http.Request
	refused bool
}

func (w *fileWriter) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.refused = true
	detail := "the condition of the request does not hold for this file"
	switch status {
	case http.StatusRequestedRangeNotSatisfiable:
		detail = "the file has no such range; Content-Range says how long it is"
	case http.StatusInternalServerError:
		detail = "the file can't be read"
	}
	for _, name := range []string{"ETag", "Cache-Control", "Content-Length"} {
		w.Header().Del(name)
	}
	writeProblem(w.ResponseWriter, w.request, problemOf(status, detail))
}

func (w *fileWriter) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *fileWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
