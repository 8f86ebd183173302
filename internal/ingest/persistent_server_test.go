package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/internal/ingest"
)

// Two catalogs, and a copy of one, on one name of a real server.
func TestTwoCatalogsOnAServer(t *testing.T) {
	address := os.Getenv("PALATE_TEST_QDRANT")
	if address == "" {
		t.Skip("opt-in: PALATE_TEST_QDRANT names no server")
	}
	mine, theirs := newCollection(t, 5), newCollection(t, 9)
	for _, c := range []*collection{mine, theirs} {
		c.address, c.name = address, fmt.Sprintf("palate-test-%d", time.Now().UnixNano())
	}
	theirs.name = mine.name
	my, their := mine.process(mine.catalog), theirs.process(theirs.catalog)
	t.Cleanup(func() { must(t, mine.process(mine.catalog).Drop(context.Background())) }) // the test's is over
	mine.mustBeClean(my)
	mustBeRefused(t, their)
	must(t, their.Rebuild(t.Context(), ingest.Rebuilding{}))
	mustAnswer(t, their)
	mustBeRefused(t, my)
	must(t, my.Rebuild(t.Context(), ingest.Rebuilding{}))
	mine.mustBeClean(my)

	restored := mine.copyOf()
	mine.rate(1, "me", palate.Like)
	mine.mustBeClean(my)
	there := restored.process(restored.catalog)
	mustBeRefused(t, there)
	must(t, there.Rebuild(t.Context(), ingest.Rebuilding{}))
	restored.mustBeClean(there)
	mustBeRefused(t, my)
}

// A real server is killed while it is written to, again and again: what was
// confirmed is there, and what was not is caught up with.
func TestAKilledServerLosesNothing(t *testing.T) {
	const kills = 8
	server := qdranttest.RunProcess(t)
	c := newCollection(t, 300)
	c.address = server.Address()
	p := c.process(c.catalog)
	c.mustBeClean(p)
	r := rand.New(rand.NewPCG(9, 9))
	for range kills {
		stop := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-stop:
					return
				default: // its failures are what the test makes
					_, _ = p.CatchUp(context.Background())
				}
			}
		}()
		wait := time.After(time.Duration(50+r.IntN(400)) * time.Millisecond)
		for busy := true; busy; {
			select {
			case <-wait:
				busy = false
			default:
				c.add(3)
				c.rate(r.IntN(len(c.ids)), "me", palate.Like)
				c.rate(r.IntN(len(c.ids)), "you", palate.Dislike)
			}
		}
		server.Kill()
		close(stop)
		<-ended
		server.Start()
		for deadline := time.Now().Add(30 * time.Second); ; {
			if _, err := p.CatchUp(t.Context()); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
		if v, err := ingest.Verify(t.Context(), c.catalog, p.Index, 1<<30, nil); err != nil || !v.Clean() {
			time.Sleep(time.Second) // it may still replay its log, as verify's second look knows
		}
		c.mustBeClean(p)
	}
}

// An older snapshot that is restored under a collection's name, on a real
// server, is noticed and caught up with.
func TestAnOlderSnapshotOnAServer(t *testing.T) {
	server := qdranttest.RunProcess(t)
	c := newCollection(t, 40)
	c.address = server.Address()
	p := c.process(c.catalog)
	c.mustBeClean(p)
	name, err := p.Generation(t.Context())
	must(t, err)
	snapshots := server.URL() + "/collections/" + name + "/snapshots"
	var made struct{ Result struct{ Name string } }
	must(t, json.Unmarshal(rest(t, http.MethodPost, snapshots, "", nil), &made))
	old := rest(t, http.MethodGet, snapshots+"/"+made.Result.Name, "", nil)
	for n := range 30 {
		c.rate(n, "me", palate.Like)
	}
	c.mustBeClean(p)

	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	part, err := parts.CreateFormFile("snapshot", "old.snapshot")
	must(t, err)
	_, err = part.Write(old)
	must(t, errors.Join(err, parts.Close()))
	rest(t, http.MethodPost, snapshots+"/upload?priority=snapshot", parts.FormDataContentType(), &form)

	next := c.process(c.catalog)
	if _, err := next.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := next.Count(t.Context(), index.Filter{LikedBy: "me"}); err != nil || n != 30 {
		t.Errorf("counted %d liked, %v; want 30", n, err)
	}
	c.mustBeClean(next)
}

func rest(t *testing.T, method, url, contentType string, body io.Reader) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	must(t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: got %d, %.200s, %v", method, url, response.StatusCode, answer, err)
	}
	return answer
}
