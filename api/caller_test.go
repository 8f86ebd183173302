package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/embedder"
)

// asked is the fixture's server with callers, who say their name in a header.
func (f *fixture) asked(t *testing.T, callers map[string]palate.Caller) *httptest.Server {
	t.Helper()
	config := api.DefaultConfig()
	config.Authenticate = func(r *http.Request) (palate.Caller, error) {
		c, known := callers[r.Header.Get("Authorization")]
		if !known {
			return palate.Caller{}, fmt.Errorf("no caller of that name: %w", palate.ErrUnauthenticated)
		}
		return c, nil
	}
	server, err := api.New(api.Services{Catalog: f.catalog, Store: f.store, Collection: f.collection, Index: f.index, Follower: f.follower,
		Embedder: colours{}, Tastes: f.tastes, Patches: func(context.Context) (embedder.PatchEmbedder, error) { return colours{}, nil }},
		config, slog.New(slog.DiscardHandler))
	must(t, err)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	return web
}

// What a caller may do is asked for in one place: every operation of the
// contract is held to it, those that come later too.
func TestEveryOperationAsksWhatTheCallerMay(t *testing.T) {
	f := newFixture(t)
	image := f.add(t, 1, red, "A")[0]
	web := f.asked(t, map[string]palate.Caller{"guest": {Profiles: []palate.Profile{"guest"}}, "owner": palate.Anyone})
	spec := document(t)
	ask := func(method, path, caller string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, strings.NewReader(""))
		must(t, err)
		r.Header.Set("Authorization", caller)
		response, err := http.DefaultClient.Do(r)
		must(t, err)
		defer response.Body.Close()
		return response.StatusCode
	}
	known, forbidden := 0, 0
	for path, item := range spec.Paths.Map() {
		for method := range item.Operations() {
			path := strings.NewReplacer("{profile}", "me", "{image}", image.String(), "{version}", "1", "{job}", "1").Replace(path)
			if strings.Contains(path, "{") {
				continue // what needs a value that this test does not know
			}
			if path == "/v1/events" || path == "/healthz" || path == "/readyz" {
				continue // the first lasts, the others ask nobody
			}
			query := ""
			if strings.HasSuffix(path, "/compare") {
				query = "?with=guest"
			}
			known++
			// A request without the body that it needs is refused as such before
			// anybody asks who sends it.
			if got := ask(method, path+query, "nobody"); got != http.StatusUnauthorized && got != http.StatusBadRequest && got != http.StatusUnsupportedMediaType {
				t.Errorf("%s %s by nobody: got status %d, want 401", method, path, got)
			}
			if !strings.HasPrefix(path, "/v1/profiles/me") && method == http.MethodGet {
				continue
			}
			switch got := ask(method, path+query, "guest"); got {
			case http.StatusForbidden:
				forbidden++
			case http.StatusBadRequest, http.StatusUnsupportedMediaType:
			default:
				t.Errorf("%s %s by a guest: got status %d, want 403", method, path, got)
			}
		}
	}
	if known < 30 || forbidden < 15 {
		t.Errorf("only %d operations were asked for and %d forbidden", known, forbidden)
	}
	for path, want := range map[string]int{
		"/v1/images": 200, "/v1/profiles/guest/ratings": 200, "/v1/images?profile=me": 403, "/v1/images?profile=guest": 200, "/v1/profiles/guest/compare?with=me": 403,
	} {
		if got := ask("GET", path, "guest"); got != want {
			t.Errorf("GET %s by a guest: got status %d, want %d", path, got, want)
		}
	}
	if got := ask("DELETE", "/v1/images/"+image.String()+"?reason=gone", "owner"); got != http.StatusNoContent && got != http.StatusOK {
		t.Errorf("the owner: got status %d", got)
	}
}
