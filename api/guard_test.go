package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
)

// A parameter that no operation has is a caller's mistake that would
// otherwise go unseen: a filter that filters nothing.
func TestNoOperationTakesAnUnknownParameter(t *testing.T) {
	f := newFixture(t)
	fill := strings.NewReplacer("{image}", f.add(t, 1, red, "Roth")[0].String(), "{profile}", "me", "{job}", "1")
	kind, body := form(t, paint(t, red, 900))
	operations := 0
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			operations++
			contentType, text := "application/json", "{}"
			if op.RequestBody != nil && op.RequestBody.Value.Content.Get("multipart/form-data") != nil {
				contentType, text = kind, body
			}
			a := f.do(t, method, fill.Replace(path)+"?surprise=1", text, "Content-Type", contentType)
			var problem struct {
				Errors []struct{ Parameter string }
			}
			must(t, json.Unmarshal(a.body, &problem))
			named := false
			for _, e := range problem.Errors {
				named = named || e.Parameter == "surprise"
			}
			if a.status != http.StatusBadRequest || !named {
				t.Errorf("%s %s: got %d: %s, want 400 that names the parameter", method, path, a.status, a.body)
			}
		}
	}
	if operations < 20 {
		t.Errorf("only %d operations were asked", operations)
	}
	if got, err := f.catalog.CountImages(t.Context(), index.Filter{}); err != nil || got != 1 {
		t.Errorf("got %d images and %v, want the one of before: a refused upload keeps nothing", got, err)
	}
}

// brokenIndex has a programmer's mistake in it.
type brokenIndex struct{ *flat.Index }

func (brokenIndex) Search(context.Context, index.Query) ([]index.Hit, error) { panic("a mistake") }

func TestAPanicIsAProblemThatTellsNoSecrets(t *testing.T) {
	f := newFixture(t)
	id := f.add(t, 2, red, "Roth")[0]
	var log bytes.Buffer
	server, err := api.New(api.Services{Catalog: f.catalog, Store: f.store, Collection: f.collection, Index: brokenIndex{f.index},
		Follower: f.follower, Embedder: colours{}, Tastes: f.tastes}, api.DefaultConfig(), slog.New(slog.NewTextHandler(&log, nil)))
	must(t, err)
	ask := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
		w := httptest.NewRecorder()
		server.Handler().ServeHTTP(w, r)
		return w
	}
	w := ask("/v1/images/" + id.String() + "/neighbours")
	var problem struct {
		Type, Title, Detail string
		Status              int
	}
	must(t, json.Unmarshal(w.Body.Bytes(), &problem))
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/problem+json" || problem.Status != w.Code || problem.Title == "" {
		t.Errorf("got %d as %s: %s, want 500 as a problem", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if strings.Contains(w.Body.String(), "a mistake") || strings.Contains(w.Body.String(), ".go") {
		t.Errorf("the caller was told %s", w.Body)
	}
	if !strings.Contains(log.String(), "a mistake") || !strings.Contains(log.String(), "guard_test.go") {
		t.Errorf("the log has %q, want the panic and where it was", log.String())
	}
	if w := ask("/v1/images"); w.Code != http.StatusOK {
		t.Errorf("after a panic: got %d, want the server to go on", w.Code)
	}
}

// A ranking is read to its ten thousandth place, and no further.
func TestARankingEndsAtTenThousand(t *testing.T) {
	f := newFixture(t)
	f.rate(t, palate.Like, f.add(t, 8, red, "Roth")...)
	f.rate(t, palate.Dislike, f.add(t, 8, blue, "Blau")...)
	f.learn(t)
	points := make([]index.Point, 10_100)
	for i := range points {
		angle := float64(i) / 10_100
		points[i] = index.Point{ID: palate.ImageID{byte(i >> 8), byte(i), 15: 1}, Embedding: palate.Embedding{float32(math.Cos(angle)), float32(math.Sin(angle)), 0, 0}}
	}
	must(t, f.index.Upsert(t.Context(), points))
	for offset, wantNext := range map[int]string{9_900: "1.0.9950.", 9_949: "1.0.9999.", 9_950: "", 9_990: "", 9_999: ""} {
		cursor := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "1.0.%d.%x.%x", offset, math.Float32bits(math.MaxFloat32), make([]byte, 16)))
		page, a := f.scores(t, "limit=50&cursor="+cursor)
		next, err := base64.RawURLEncoding.DecodeString(page.Next)
		if a.status != http.StatusOK || err != nil || (wantNext == "") != (len(next) == 0) || !strings.HasPrefix(string(next), wantNext) {
			t.Errorf("from %d: got %d and the next page at %q (%v), want %q", offset, a.status, next, err, wantNext)
		}
	}
}
