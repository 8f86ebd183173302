package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/taste"
)

const (
	// maxJSONBytes bounds every body that is not in bodyLimits.
	maxJSONBytes = 1 << 20

	// maxRatingsBytes bounds a file of ratings: a million rows of a CSV.
	maxRatingsBytes = 64 << 20

	// uploadExtra is what the other parts of an upload may have together.
	uploadExtra = 1 << 20

	// maxUploads is how many uploads are read and worked on at a time: each
	// is held in memory.
	maxUploads = 4

	// uploadPatience is how long an upload waits for its turn.
	uploadPatience = 10 * time.Second
)

// pace is how fast a request must come, however it is cut into pieces.
type pace struct {
	headers        time.Duration // until all headers are there
	grace          time.Duration // for which a body may be slower than
	bytesPerSecond int64
	ahead          time.Duration // that a body which was fast has beside its grace
}

var usualPace = pace{headers: 10 * time.Second, grace: 20 * time.Second, bytesPerSecond: 16 << 10, ahead: 5 * time.Second}

// bodyKind is what an operation takes.
type bodyKind int

const (
	jsonBody bodyKind = iota
	uploadBody
	fileBody
)

// bodyOf is the one table of limits: the kind and the largest size of a
// request's body by its operation.
func (s *Server) bodyOf(r *http.Request) (bodyKind, int64) {
	switch path := strings.TrimSuffix(r.URL.Path, "/"); {
	case path == "/v1/images" && r.Method == http.MethodPost, path == "/v1/search/upload", strings.HasSuffix(path, "/upload-score"):
		return uploadBody, s.config.MaxUploadBytes + uploadExtra
	case strings.HasSuffix(path, "/ratings-import"):
		return fileBody, maxRatingsBytes
	case strings.HasSuffix(path, "/probe/import"):
		return fileBody, taste.MaxExportBytes
	}
	return jsonBody, maxJSONBytes
}

// paceBodies gives every body the time of its beginning, read or not: what is
// refused before any of it was read, net/http reads on after the answer.
func (s *Server) paceBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.pace.grace)) // tests without a connection have none
		}
		next.ServeHTTP(w, r)
	})
}

// boundBodies holds every body to its limit, however it is sent, to a least
// speed and, if it is JSON, to one value without doubled keys. What is beyond
// is refused before a handler sees it.
func (s *Server) boundBodies(next http.Handler) http.Handler {
	turns := make(chan struct{}, maxUploads)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
			writeProblem(w, r, problemOf(http.StatusUnsupportedMediaType, fmt.Sprintf("a body with the Content-Encoding %q is not read here; send it as it is", coding)))
			return
		}
		kind, limit := s.bodyOf(r)
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close") // the rest is not worth reading
			writeProblem(w, r, tooLargeProblem(limit))
			return
		}
		r.Body = http.MaxBytesReader(w, &pacedBody{ReadCloser: r.Body, control: http.NewResponseController(w), pace: s.pace, begun: time.Now()}, limit)
		if kind == uploadBody {
			select {
			case turns <- struct{}{}:
				defer func() { <-turns }()
			case <-r.Context().Done():
				return
			case <-time.After(uploadPatience):
				w.Header().Set("Retry-After", "5")
				writeProblem(w, r, problemOf(http.StatusServiceUnavailable, fmt.Sprintf("%d other uploads are being read; try again in a moment", maxUploads)))
				return
			}
		}
		if kind == jsonBody {
			content, err := io.ReadAll(r.Body)
			if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && len(content) > 0 && kind == "application/json" {
				err = checkJSON(content)
			}
			if err != nil {
				writeProblem(w, r, bodyProblem(err, limit))
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(content))
		}
		next.ServeHTTP(w, r)
	})
}

func tooLargeProblem(limit int64) Problem {
	return problemOf(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes, which are allowed here", limit))
}

// bodyProblem says why a body could not be read, in no words of Go's.
func bodyProblem(err error, limit int64) Problem {
	var tooLarge *http.MaxBytesError
	var bad *jsonError
	switch {
	case errors.As(err, &tooLarge):
		return tooLargeProblem(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problemOf(http.StatusRequestTimeout, "the body came too slowly")
	case errors.As(err, &bad):
		return problemOf(http.StatusBadRequest, "body: "+bad.what)
	}
	return problemOf(http.StatusBadRequest, "body: it ends before it is whole")
}

// pacedBody gives up a body that comes too slowly: it must have come as far
// as its pace asks for whenever more of it is read.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pace    pace
	begun   time.Time
	bytes   int64
}

func (b *pacedBody) Read(p []byte) (int, error) {
	due := b.begun.Add(b.pace.grace + time.Duration(b.bytes)*time.Second/time.Duration(b.pace.bytesPerSecond))
	if soon := time.Now().Add(b.pace.ahead + b.pace.grace); b.bytes > 0 && due.After(soon) {
		due = soon // fast so far is no leave to stop
	}
	_ = b.control.SetReadDeadline(due) // tests without a connection have none
	n, err := b.ReadCloser.Read(p)
	b.bytes += int64(n)
	if errors.Is(err, io.EOF) {
		// Before its end the deadline stays: whatever a handler left of the
		// body, net/http goes on to read.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// jsonError is what is wrong with a JSON text, for whoever sent it.
type jsonError struct{ what string }

func (e *jsonError) Error() string { return e.what }

// checkJSON refuses what is not exactly one JSON value, and keys that stand
// twice in an object: readers differ in which they believe.
func checkJSON(content []byte) error {
	if !json.Valid(content) {
		return &jsonError{"it is not one JSON value and nothing else"}
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	type level struct {
		keys map[string]bool // nil in an array
		key  bool            // a key comes next
	}
	var levels []level
	value := func() {
		if n := len(levels); n > 0 && levels[n-1].keys != nil {
			levels[n-1].key = true
		}
	}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &jsonError{"it is not one JSON value and nothing else"}
		}
		top := len(levels) - 1
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				levels = append(levels, level{keys: map[string]bool{}, key: true})
			case '[':
				levels = append(levels, level{})
			default:
				levels = levels[:top]
				value()
			}
		case string:
			if top >= 0 && levels[top].key {
				if levels[top].keys[t] {
					return &jsonError{fmt.Sprintf("the key %q stands twice in one object", t)}
				}
				levels[top].keys[t], levels[top].key = true, false
				continue
			}
			value()
		default:
			value()
		}
	}
}
