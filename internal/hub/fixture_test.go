package hub_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/hub"
)

const (
	repository = "org/vit_tiny.art"
	commit     = "0123456789abcdef0123456789abcdef01234567"
	fileName   = "model.safetensors"
)

// site is a hub and the store that it redirects to, as two servers on
// loopback.
type site struct {
	hub, store *httptest.Server

	mu       sync.Mutex
	behaves  behaviour
	requests []seen
}

// behaviour is how a site answers; set changes it.
type behaviour struct {
	content []byte
	// etag is the X-Linked-Etag; "-" leaves it away.
	etag string
	// moved is the repository's former name, from which the hub redirects
	// within itself.
	moved string
	// inline sends the file from the hub itself, without a redirect.
	inline bool
	// refuse answers a request of the hub or the store in its place.
	refuse func(w http.ResponseWriter, r *http.Request) bool
	// cut ends every answer of the store after so many bytes, by closing
	// the connection; 0 sends all.
	cut int
	// noRange sends the whole file whatever range is asked for.
	noRange bool
	// begun, if not nil, gets a value when cut bytes were sent; the
	// connection then stays until the client ends it.
	begun chan struct{}
}

// set changes how the site answers from now on.
func (s *site) set(change func(b *behaviour)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.behaves)
}

// seen is one request that a site got.
type seen struct {
	server, method, path, rangeHeader, authorization, encoding string
}

func newSite(t *testing.T, content []byte) *site {
	t.Helper()
	s := &site{behaves: behaviour{content: content, etag: sumOf(content)}}
	s.mu.Lock() // until both are there
	defer s.mu.Unlock()
	s.hub = httptest.NewServer(http.HandlerFunc(s.answer))
	s.store = httptest.NewServer(http.HandlerFunc(s.send))
	t.Cleanup(s.hub.Close)
	t.Cleanup(s.store.Close)
	return s
}

// hold lets every answer stop after n bytes, and gives where it tells so.
func (s *site) hold(n int) (begun chan struct{}) {
	begun = make(chan struct{}, 10)
	s.set(func(b *behaviour) { b.cut, b.begun = n, begun })
	return begun
}

// note remembers a request and gives how to answer it.
func (s *site) note(server string, r *http.Request) behaviour {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, seen{server, r.Method, r.URL.Path, r.Header.Get("Range"), r.Header.Get("Authorization"), r.Header.Get("Accept-Encoding")})
	return s.behaves
}

// gets are the requests for bytes.
func (s *site) gets() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gets []seen
	for _, r := range s.requests {
		if r.method == http.MethodGet {
			gets = append(gets, r)
		}
	}
	return gets
}

func (s *site) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// answer is the hub's side of the protocol.
func (s *site) answer(w http.ResponseWriter, r *http.Request) {
	b := s.note("hub", r)
	if b.refuse != nil && b.refuse(w, r) {
		return
	}
	if b.moved != "" && strings.HasPrefix(r.URL.Path, "/"+b.moved+"/") {
		w.Header().Set("Location", strings.Replace(r.URL.Path, b.moved, repository, 1))
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	rest, known := strings.CutPrefix(r.URL.Path, "/"+repository+"/resolve/")
	revision, path, _ := strings.Cut(rest, "/")
	switch {
	case !known:
		w.Header().Set("X-Error-Code", "RepoNotFound")
		w.Header().Set("X-Error-Message", "Invalid username or password.")
		w.WriteHeader(http.StatusUnauthorized)
		return
	case revision != commit && revision != "main":
		w.Header().Set("X-Error-Code", "RevisionNotFound")
		w.WriteHeader(http.StatusNotFound)
		return
	case path != fileName && path != "weights/"+fileName:
		w.Header().Set("X-Error-Code", "EntryNotFound")
		w.Header().Set("X-Error-Message", "Entry not found")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("X-Repo-Commit", commit)
	if b.inline {
		w.Header().Set("ETag", `W/"`+b.etag+`"`)
		b.send(w, r)
		return
	}
	if b.etag != "-" {
		w.Header().Set("X-Linked-Etag", `"`+b.etag+`"`)
	}
	w.Header().Set("X-Linked-Size", strconv.Itoa(len(b.content)))
	w.Header().Set("ETag", `"a-hash-of-the-redirect"`)
	w.Header().Set("Location", s.store.URL+"/blob?signature=1")
	w.WriteHeader(http.StatusFound)
}

// send is the store's side.
func (s *site) send(w http.ResponseWriter, r *http.Request) {
	b := s.note("store", r)
	if b.refuse != nil && b.refuse(w, r) {
		return
	}
	b.send(w, r)
}

func (b behaviour) send(w http.ResponseWriter, r *http.Request) {
	from := 0
	if text, found := strings.CutPrefix(r.Header.Get("Range"), "bytes="); found && !b.noRange {
		from, _ = strconv.Atoi(strings.TrimSuffix(text, "-"))
		if from >= len(b.content) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(b.content)-1, len(b.content)))
	}
	rest := b.content[from:]
	w.Header().Set("Content-Length", strconv.Itoa(len(rest)))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	if r.Method == http.MethodHead {
		return
	}
	if b.cut == 0 || b.cut >= len(rest) {
		_, _ = w.Write(rest)
		return
	}
	_, _ = w.Write(rest[:b.cut])
	_ = http.NewResponseController(w).Flush()
	if b.begun != nil {
		b.begun <- struct{}{}
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler) // closes the connection
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func randomBytes(n int) []byte {
	content := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(content)
	return content
}

// waits remembers the pauses and lets none pass.
type waits struct {
	mu     sync.Mutex
	pauses []time.Duration
}

func (w *waits) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pauses = append(w.pauses, d)
	return ctx.Err()
}

// config is a client's for the site, with an empty cache.
func config(t *testing.T, s *site) hub.Config {
	t.Helper()
	c := hub.DefaultConfig()
	c.Endpoint, c.CacheDir = s.hub.URL, t.TempDir()
	c.Wait = new(waits).wait
	return c
}

func open(t *testing.T, c hub.Config) *hub.Client {
	t.Helper()
	client, err := hub.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func pinned(content []byte) hub.File {
	return hub.File{Repository: repository, Revision: commit, Path: fileName, SHA256: sumOf(content), Size: int64(len(content))}
}

// mustHave holds a fetched file against its content and the cache's layout.
func mustHave(t *testing.T, c hub.Config, local hub.Local, content []byte) {
	t.Helper()
	got, err := os.ReadFile(local.Path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(content) {
		t.Fatalf("got %d bytes with SHA-256 %s, want %d with %s", len(got), sumOf(got), len(content), sumOf(content))
	}
	folder := filepath.Join(c.CacheDir, "models--org--vit_tiny.art")
	if want := filepath.Join(folder, "snapshots", commit, fileName); local.Path != want {
		t.Errorf("got it at %s, want %s", local.Path, want)
	}
	if want := filepath.Join(folder, "blobs", sumOf(content)); !sameFile(t, local.Path, want) {
		t.Errorf("%s does not show %s", local.Path, want)
	}
	if local.SHA256 != sumOf(content) || local.Commit != commit || local.Size != int64(len(content)) {
		t.Errorf("got %+v", local)
	}
	mustHaveNothingUnfinished(t, c)
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	first, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.Stat(b)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(first, second)
}

func mustHaveNothingUnfinished(t *testing.T, c hub.Config) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(c.CacheDir, "*", "*", "*.incomplete"))
	if err != nil || len(left) > 0 {
		t.Errorf("left unfinished: %v (%v)", left, err)
	}
}
