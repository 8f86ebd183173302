package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/palate-art/palate"
)

const (
	idempotencyKey     = "Idempotency-Key"
	idempotentReplayed = "Idempotent-Replayed"
)

// idempotent lets a client that does not know whether a request has arrived
// send it again under the same key (draft-ietf-httpapi-idempotency-key-header):
// what it did is answered once more and not done again. Which operations take a
// key, the document says. It stands behind what refuses a request unread, so
// that nothing which did nothing uses up a key.
func (s *Server) idempotent(document *openapi3.T) echo.MiddlewareFunc {
	takes := map[string]bool{}
	route := strings.NewReplacer("{", ":", "}", "")
	for path, item := range document.Paths.Map() {
		for method, op := range item.Operations() {
			takes[method+" "+route.Replace(path)] = op.Parameters.GetByInAndName(openapi3.ParameterInHeader, idempotencyKey) != nil
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			keys := r.Header.Values(idempotencyKey)
			switch {
			case len(keys) == 0 || !takes[r.Method+" "+c.Path()]:
				return next(c)
			case len(keys) > 1:
				return invalidParameter(idempotencyKey, "given more than once")
			}
			key := replayKey{caller: palate.CallerOf(r.Context()).Name, key: plainKey(keys[0])}
			earlier, known := s.replays.begin(key)
			switch {
			case !known:
				return s.doOnce(c, key, next)
			case earlier == nil:
				c.Response().Header().Set("Retry-After", "1")
				return fmt.Errorf("a request under the %s %q is being worked on; ask again in a moment for what it came to: %w", idempotencyKey, key.key, palate.ErrConflict)
			}
			return replayed(c, key, earlier)
		}
	}
}

// plainKey is a key without the quotes that the draft wants and many clients
// leave out.
func plainKey(key string) string {
	if len(key) > 2 && strings.HasPrefix(key, `"`) && strings.HasSuffix(key, `"`) {
		return key[1 : len(key)-1]
	}
	return key
}

// doOnce does what is asked and keeps the answer, if it is one of success: what
// failed has left nothing, and may be tried again under the same key.
func (s *Server) doOnce(c echo.Context, key replayKey, next echo.HandlerFunc) error {
	var answer *replay
	defer func() { s.replays.end(key, answer) }() // after a panic too
	r := c.Request()
	print := newFingerprint(r)
	defer print.close()
	body := r.Body
	r.Body = readCloser{io.TeeReader(body, print), body}
	recorder := &recorder{ResponseWriter: c.Response().Writer}
	c.Response().Writer = recorder
	err := next(c)
	c.Response().Writer = recorder.ResponseWriter
	if err != nil || recorder.status < 200 || recorder.status >= 300 || recorder.tooLong {
		return err
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil { // what the handler has left of it
		return nil
	}
	answer = &replay{print: print.sum(), status: recorder.status, body: recorder.body.Bytes(), header: http.Header{}}
	for _, name := range []string{"Content-Type", "Location"} {
		if value := c.Response().Header().Get(name); value != "" {
			answer.header.Set(name, value)
		}
	}
	return nil
}

// replayed answers as the first request under the key was, if this is the same.
func replayed(c echo.Context, key replayKey, earlier *replay) error {
	r := c.Request()
	print := newFingerprint(r)
	defer print.close()
	if _, err := io.Copy(print, r.Body); err != nil {
		return brokenBody(err, "it ends before it is whole")
	}
	if print.sum() != earlier.print {
		return echo.NewHTTPError(http.StatusUnprocessableEntity,
			fmt.Sprintf("another request was sent under the %s %q; take a new key for a new request", idempotencyKey, key.key))
	}
	header := c.Response().Header()
	for name, values := range earlier.header {
		header[name] = slices.Clone(values)
	}
	header.Set(idempotentReplayed, "true")
	c.Response().WriteHeader(earlier.status)
	_, err := c.Response().Write(earlier.body)
	return err
}

type readCloser struct {
	io.Reader
	io.Closer
}

// recorder keeps a short answer beside sending it.
type recorder struct {
	http.ResponseWriter
	status  int
	body    bytes.Buffer
	tooLong bool
}

func (w *recorder) WriteHeader(status int) {
	if w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status < 200 {
		w.status = http.StatusOK
	}
	if w.tooLong = w.tooLong || w.body.Len()+len(p) > longestReplay; !w.tooLong {
		w.body.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// fingerprint tells requests apart by what they say and not by how it was put:
// the order of an object's keys says nothing, nor does the boundary between the
// parts of a form, which clients draw anew for each attempt. The body is
// written to it; none of a file is held.
type fingerprint struct {
	begin []byte // of what is hashed: method and address
	to    io.Writer
	read  func() [sha256.Size]byte // of the body, when all of it was written
	close func()
}

func (f *fingerprint) Write(p []byte) (int, error) { return f.to.Write(p) }

func (f *fingerprint) sum() [sha256.Size]byte {
	body := f.read()
	return sha256.Sum256(append(slices.Clone(f.begin), body[:]...))
}

func newFingerprint(r *http.Request) *fingerprint {
	f := &fingerprint{begin: fmt.Appendf(nil, "%s %q ", r.Method, r.URL.RequestURI()), close: func() {}}
	kind, attributes, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		f.ofForm(attributes["boundary"])
	case "application/json": // of which there is no more than maxJSONBytes
		var text bytes.Buffer
		f.to, f.read = &text, func() [sha256.Size]byte { return sha256.Sum256(sameJSON(text.Bytes())) }
	default:
		hash := sha256.New()
		f.to, f.read = hash, func() [sha256.Size]byte { return [sha256.Size]byte(hash.Sum(nil)) }
	}
	return f
}

// sameJSON writes a value in one way.
func sameJSON(text []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return text
	}
	same, err := json.Marshal(value)
	if err != nil {
		return text
	}
	return same
}

// ofForm reads the parts of a form while they are written.
func (f *fingerprint) ofForm(boundary string) {
	from, to := io.Pipe()
	done := make(chan [sha256.Size]byte, 1)
	go func() {
		done <- partsSum(multipart.NewReader(from, boundary))
		_, _ = io.Copy(io.Discard, from) // until its writer has closed it
	}()
	f.to = to
	f.close = func() { _ = to.Close() }
	f.read = func() [sha256.Size]byte {
		f.close()
		return <-done
	}
}

// partsSum is the same for the same parts in any order. A form that is broken
// has that of the parts before.
func partsSum(form *multipart.Reader) [sha256.Size]byte {
	var parts []string
	for {
		part, err := form.NextPart()
		if err != nil {
			break
		}
		hash := sha256.New()
		fmt.Fprintf(hash, "%q %q ", part.FormName(), part.FileName())
		if _, err := io.Copy(hash, part); err != nil {
			break
		}
		parts = append(parts, string(hash.Sum(nil)))
	}
	slices.Sort(parts)
	return sha256.Sum256([]byte(strings.Join(parts, "")))
}
