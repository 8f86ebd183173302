// Package hubtest stands in for the model hub and the host of its large files,
// on loopback, for tests. It answers as the public hub did in 2026: small
// files by a redirect within the hub, with git's SHA-1 as their hash; large
// ones by a redirect to another host, whose own ETag is no hash of the bytes;
// what is in a repository as JSON, also of gated ones, whose files are refused.
package hubtest

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Commit is the one that "main" stands for, in every repository.
const Commit = "89abcdef0123456789abcdef0123456789abcdef"

// Token is the one whose owner has agreed to the licences of gated
// repositories; any other is of somebody who has not.
const Token = "hf_agreed"

// Repository is one of the hub's.
type Repository struct {
	Files map[string][]byte
	// Gated refuses its files to who has not agreed.
	Gated bool
	// Card is what its page says: license and so on.
	Card map[string]any
}

// Hub is the stand-in. Its fields are changed under Set.
type Hub struct {
	URL string

	mu           sync.Mutex
	repositories map[string]Repository
	silent       bool
	busy         int
	asked        []string
	store        *httptest.Server
}

// New starts a hub that has these repositories, until the test ends.
func New(t testing.TB, repositories map[string]Repository) *Hub {
	t.Helper()
	h := &Hub{repositories: repositories}
	h.mu.Lock()
	defer h.mu.Unlock()
	server := httptest.NewServer(http.HandlerFunc(h.answer))
	h.URL, h.store = server.URL, httptest.NewServer(http.HandlerFunc(h.send))
	t.Cleanup(server.Close)
	t.Cleanup(h.store.Close)
	return h
}

// Change replaces a repository.
func (h *Hub) Change(name string, r Repository) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.repositories[name] = r
}

// Silent lets it not tell what is in a repository, as some mirrors don't.
func (h *Hub) Silent() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent = true
}

// Busy lets it answer the next n requests with 429.
func (h *Hub) Busy(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy = n
}

// Asked gives the requests so far, "METHOD PATH" each.
func (h *Hub) Asked() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked)
}

// SHA256 is a content's, as the hub writes it.
func SHA256(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func (h *Hub) note(r *http.Request) (repositories map[string]Repository, silent, busy bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, r.Method+" "+r.URL.Path)
	if busy = h.busy > 0; busy {
		h.busy--
	}
	return h.repositories, h.silent, busy
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", message)
	w.WriteHeader(status)
}

func (h *Hub) answer(w http.ResponseWriter, r *http.Request) {
	repositories, silent, busy := h.note(r)
	if busy {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) == 6 && parts[0] == "api" && parts[1] == "models" && parts[4] == "revision" && !silent:
		h.tell(w, repositories, parts[2]+"/"+parts[3], parts[5])
	case len(parts) > 5 && parts[0] == "api" && parts[1] == "resolve-cache":
		h.file(w, r, repositories[parts[3]+"/"+parts[4]], strings.Join(parts[6:], "/"), true)
	case len(parts) > 4 && parts[2] == "resolve":
		name := parts[0] + "/" + parts[1]
		repository, found := repositories[name]
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case !found:
			refuse(w, http.StatusUnauthorized, "RepoNotFound", "Invalid username or password.")
		case repository.Gated && token == "":
			refuse(w, http.StatusUnauthorized, "GatedRepo", "Access to model "+name+" is restricted. You must have access to it and be authenticated to access it. Please log in.")
		case repository.Gated && token != Token:
			refuse(w, http.StatusForbidden, "GatedRepo", "Access to model "+name+" is restricted and you are not in the authorized list. Visit "+h.URL+"/"+name+" to ask for access.")
		case parts[3] != "main" && parts[3] != Commit:
			refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+parts[3])
		default:
			h.file(w, r, repository, strings.Join(parts[4:], "/"), false)
		}
	default:
		http.NotFound(w, r)
	}
}

// tell is the hub's JSON on a repository.
func (h *Hub) tell(w http.ResponseWriter, repositories map[string]Repository, name, revision string) {
	repository, found := repositories[name]
	switch {
	case !found:
		refuse(w, http.StatusUnauthorized, "RepoNotFound", "Repository not found")
		return
	case revision != "main" && revision != Commit:
		refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
		return
	}
	type sibling struct {
		Path string `json:"rfilename"`
	}
	siblings := []sibling{{".gitattributes"}, {"README.md"}}
	for p := range repository.Files {
		siblings = append(siblings, sibling{p})
	}
	var gated any = false
	if repository.Gated {
		gated = "manual"
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"_id": "66b1", "id": name, "modelId": name, "author": path.Dir(name), "sha": Commit,
		"private": false, "gated": gated, "disabled": false, "downloads": 12, "likes": 3, "cardData": repository.Card, "siblings": siblings})
}

// large reports whether the hub has a file elsewhere.
func large(name string) bool { return !strings.HasSuffix(name, ".json") }

func (h *Hub) file(w http.ResponseWriter, r *http.Request, repository Repository, name string, here bool) {
	content, found := repository.Files[name]
	if !found {
		refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	git := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(content)), content...))
	w.Header().Set("X-Repo-Commit", Commit)
	switch {
	case here:
		w.Header().Set("ETag", `"`+hex.EncodeToString(git[:])+`"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(content)))
	case large(name):
		w.Header().Set("X-Linked-Etag", `"`+SHA256(content)+`"`)
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(content)))
		w.Header().Set("Location", h.store.URL+"/"+SHA256(content)+"?X-Xet-Signed=1&repository="+url.QueryEscape(r.URL.Path))
		w.WriteHeader(http.StatusFound)
	default:
		parts := strings.SplitN(strings.Trim(r.URL.Path, "/"), "/", 5)
		w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(git[:])+`"`)
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(content)))
		w.Header().Set("Location", "/api/resolve-cache/models/"+parts[0]+"/"+parts[1]+"/"+Commit+"/"+name+"?etag="+url.QueryEscape(`"`+hex.EncodeToString(git[:])+`"`))
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// send is the host of large files: it wants no token, and its ETag is of its
// own.
func (h *Hub) send(w http.ResponseWriter, r *http.Request) {
	repositories, _, _ := h.note(r)
	if r.Header.Get("Authorization") != "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, repository := range repositories {
		for _, content := range repository.Files {
			if "/"+SHA256(content) == r.URL.Path {
				w.Header().Set("ETag", `"`+SHA256([]byte("chunks of "+SHA256(content)))+`"`)
				http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(content)))
				return
			}
		}
	}
	http.NotFound(w, r)
}
