package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/internal/catalog"
)

func TestAnExportIsTakenInElsewhere(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 3, red, "Roth"), f.add(t, 2, blue, "Blau")
	f.rate(t, palate.Like, reds...)
	f.rate(t, palate.Skip, blues[0])
	a := f.do(t, "GET", "/v1/profiles/me/export", "")
	lines := strings.Split(strings.TrimSpace(string(a.body)), "\n")
	var first struct {
		ID        string `json:"image_id"`
		Title     string
		Embedding []float32
	}
	must(t, json.Unmarshal([]byte(lines[0]), &first))
	if a.status != 200 || len(lines) != 5 || first.ID != reds[0].String() || first.Title == "" || first.Embedding != nil ||
		a.header.Get("Content-Disposition") != `attachment; filename="palate-me.ndjson"` {
		t.Fatalf("got %d %v: %s", a.status, a.header, a.body)
	}
	for query, want := range map[string]string{"format=parquet&embeddings=true": "PAR1", "format=npz&rated=true": "PK", "format=clip": "img_emb/img_emb_0.npy\x00", "format=csv": "image_id,verdict", "embeddings=true": `{"image_id"`} {
		if a := f.do(t, "GET", "/v1/profiles/me/export?"+query, ""); a.status != 200 || !bytes.HasPrefix(a.body, []byte(want)) {
			t.Errorf("%s: got %d: %.40q", query, a.status, a.body)
		}
	}
	csv := string(f.do(t, "GET", "/v1/profiles/me/export?format=csv", "").body)
	lines = append(lines, `{"image_id":"`+unknownImage+`","verdict":"like"}`)
	for i, tt := range []struct {
		query, body string
		want        imported
	}{
		{"", strings.Join(lines, "\n"), imported{5, 4, 0, 1}},
		{"?format=ndjson", strings.Join(lines, "\n"), imported{5, 0, 4, 1}},
		{"?format=csv", csv, imported{4, 0, 4, 0}},
		{"?format=csv", strings.ReplaceAll(csv, ",like,", ",dislike,"), imported{4, 3, 1, 0}},
	} {
		a := f.do(t, "POST", "/v1/profiles/copy/ratings-import"+tt.query, tt.body, "Content-Type", "application/octet-stream")
		var got imported
		must(t, json.Unmarshal(a.body, &got))
		if a.status != 200 || got != tt.want {
			t.Errorf("import %d: got %d %+v, want %+v: %s", i, a.status, got, tt.want, a.body)
		}
	}
	standing, err := f.catalog.StandingRatings(t.Context(), "copy", catalog.RatingQuery{Limit: 10})
	must(t, err)
	if len(standing) != 4 || standing[0].Shown != palate.ShownImport {
		t.Errorf("got %+v", standing)
	}
	if a := f.do(t, "POST", "/v1/profiles/copy/ratings-import", lines[0]+"\n{", "Content-Type", "application/octet-stream"); a.status != 400 || !strings.Contains(string(a.body), "line 2") {
		t.Errorf("half a line: got %d: %s", a.status, a.body)
	}
	// How the disk is laid out is nobody's to know.
	_, err = f.collection.Add(t.Context(), paint(t, red, 99), palate.Source{Site: "folder", Address: "/home/somebody/art/red.png"})
	must(t, err)
	for _, format := range []string{"ndjson", "csv"} {
		if a := f.do(t, "GET", "/v1/profiles/me/export?format="+format, ""); !bytes.Contains(a.body, []byte("red.png")) || bytes.Contains(a.body, []byte("/home/somebody")) {
			t.Errorf("%s of a file of a folder: got %s", format, a.body)
		}
	}
}

// imported is what an import tells.
type imported struct{ Rows, Rated, Unchanged, Unknown int }

// secondPage is a catalog whose first page of images is of one image and whose
// second one is up to a test.
type secondPage struct {
	catalog.Catalog
	medium string
	second func(context.Context) error
}

func (c secondPage) ListImages(ctx context.Context, q catalog.ImageQuery) (catalog.ImagePage, error) {
	if q.After != "" {
		return catalog.ImagePage{}, c.second(ctx)
	}
	page, err := c.Catalog.ListImages(ctx, q)
	if err == nil {
		page.Next, page.Images[0].Sources[0].Medium = "more", c.medium
	}
	return page, err
}

// exportOf asks a server whose second page is up to the test.
func (f *fixture) exportOf(t *testing.T, ctx context.Context, medium string, second func(context.Context) error) (*http.Response, error) {
	t.Helper()
	server, err := api.New(api.Services{Catalog: secondPage{f.catalog, medium, second}, Store: f.store, Collection: f.collection, Index: f.index,
		Follower: f.follower, Embedder: colours{}, Tastes: f.tastes}, api.DefaultConfig(), slog.New(slog.DiscardHandler))
	must(t, err)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL+"/v1/profiles/me/export", nil)
	must(t, err)
	return http.DefaultClient.Do(r)
}

func TestAnExportThatBreaksOffDoesNotLookWhole(t *testing.T) {
	f := newFixture(t)
	f.add(t, 1, red, "Roth")
	broken := func(context.Context) error { return errors.New("the disk is gone") }
	response, err := f.exportOf(t, t.Context(), "short", broken)
	must(t, err)
	response.Body.Close()
	if response.StatusCode != http.StatusInternalServerError {
		t.Errorf("before anything was sent: got %d, want 500", response.StatusCode)
	}
	response, err = f.exportOf(t, t.Context(), strings.Repeat("long", 20_000), broken)
	must(t, err)
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); response.StatusCode != 200 || err == nil {
		t.Errorf("after its beginning: got %d and no error, want it broken off", response.StatusCode)
	}
}

func TestAnExportEndsWithTheClient(t *testing.T) {
	f := newFixture(t)
	f.add(t, 1, red, "Roth")
	ctx, leave := context.WithCancel(t.Context())
	asked, ended := make(chan struct{}), make(chan error, 1)
	response, err := f.exportOf(t, ctx, strings.Repeat("long", 20_000), func(ctx context.Context) error {
		close(asked)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	must(t, err)
	defer response.Body.Close()
	<-asked
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
