package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/catalog"
)

// server is a palate that serves in a process of its own.
type server struct {
	*process
	url string
}

var servingAt = regexp.MustCompile(`at (http://\S+)`)

func startServer(t *testing.T, args ...string) server {
	t.Helper()
	p := start(t, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	return server{process: p, url: awaitAddress(t, p)}
}

// awaitAddress waits until a server tells where it listens.
func awaitAddress(t *testing.T, p *process) (address string) {
	t.Helper()
	eventually(t, "the server tells its address", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("palate serve ended: %s", p.errOut.String())
		default:
		}
		if found := servingAt.FindStringSubmatch(p.errOut.String()); found != nil {
			address = found[1]
		}
		return address != ""
	})
	return address
}

// get asks the API for a JSON answer.
func get[T any](s server, path string, query url.Values) T {
	s.t.Helper()
	response, err := http.Get(s.url + path + "?" + query.Encode())
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer T
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: got status %d and %v, want 200 and JSON", path, response.StatusCode, err)
	}
	return answer
}

type imageList struct {
	Images []struct {
		ID string `json:"id"`
	} `json:"images"`
}

func (l imageList) ids() []string {
	var ids []string
	for _, image := range l.Images {
		ids = append(ids, image.ID)
	}
	slices.Sort(ids)
	return ids
}

func (s server) images(query url.Values) []string {
	s.t.Helper()
	query.Set("limit", "100")
	return get[imageList](s, "/v1/images", query).ids()
}

// neighbours are how many images the index finds around one, at most 100.
func (s server) neighbours(id, judged string) int {
	s.t.Helper()
	query := url.Values{"limit": {"100"}, "profile": {"me"}}
	if judged != "" {
		query.Set("judged", judged)
	}
	response, err := http.Get(s.url + "/v1/images/" + id + "/neighbours?" + query.Encode())
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var hits struct {
		Hits []json.RawMessage `json:"hits"`
	}
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&hits) != nil {
		return 0 // not indexed yet
	}
	return len(hits.Hits)
}

// A server, a crawl, an embed and ratings are processes of their own on one
// folder; the server sees what the others write while it runs.
func TestFourProcessesWorkOnOneFolder(t *testing.T) {
	const pictures = 60
	museum := startMuseum(t, pictures)
	folder := t.TempDir()
	server := startServer(t, "--data", folder, "--no-embed")
	if got := server.images(url.Values{}); len(got) != 0 {
		t.Fatalf("a server of an empty collection: got %d images", len(got))
	}

	crawl := start(t, "crawl", "--museum", museum.addr, "--data", folder)
	rates := make(map[string]*process)
	var embeds []*process
	eventually(t, "the crawl, an embed and ten ratings have begun", func() bool {
		for _, id := range server.images(url.Values{}) {
			if rates[id] == nil && len(rates) < 10 {
				verdict := []string{"like", "dislike"}[len(rates)%2]
				rates[id] = start(t, "rate", verdict, id, "--data", folder, "--json")
			}
		}
		if len(embeds) == 0 && len(rates) > 0 {
			embeds = append(embeds, start(t, "embed", "--data", folder))
		}
		return len(rates) == 10
	})
	crawl.mustEnd()
	for _, p := range append(embeds, start(t, "embed", "--data", folder)) {
		// The first may still be at it, which the second is told.
		if r := p.wait(); r.code != exitDone && !regexp.MustCompile("(?i)conflict|holds|another").MatchString(r.err) {
			t.Errorf("palate embed: got exit code %d: %s", r.code, r.err)
		}
	}
	start(t, "embed", "--data", folder).mustEnd()
	var rated []string
	for id, p := range rates {
		p.mustEnd()
		rated = append(rated, id)
	}
	slices.Sort(rated)

	eventually(t, "the server lists all pictures", func() bool { return len(server.images(url.Values{})) == pictures })
	eventually(t, "the server's index holds all pictures", func() bool { return server.neighbours(rated[0], "") == pictures-1 })
	eventually(t, "the index filters by the ratings", func() bool { return server.neighbours(rated[0], "unrated") == pictures-10 })
	type ratingList struct {
		Ratings []struct {
			Image string `json:"image_id"`
		} `json:"ratings"`
	}
	var told []string
	for _, rating := range get[ratingList](server, "/v1/profiles/me/ratings", url.Values{"limit": {"100"}}).Ratings {
		told = append(told, rating.Image)
	}
	slices.Sort(told)
	if !slices.Equal(told, rated) {
		t.Errorf("GET ratings: got %v, want %v", told, rated)
	}
	for judged, want := range map[string]int{"rated": 10, "liked": 5, "disliked": 5, "unrated": pictures - 10} {
		if got := server.images(url.Values{"profile": {"me"}, "judged": {judged}}); len(got) != want {
			t.Errorf("images judged %q: got %d, want %d", judged, len(got), want)
		}
	}
	// Some more, one by one, while nobody else works: only following can
	// bring them, and within a second, if the machine is not asleep each time.
	quickest := patience
	for i, late := range server.images(url.Values{"profile": {"me"}, "judged": {"unrated"}})[:3] {
		start(t, "rate", "dislike", late, "--data", folder).mustEnd()
		begun := time.Now()
		eventually(t, "the index knows of a late rating", func() bool { return server.neighbours(rated[0], "unrated") == pictures-11-i })
		quickest = min(quickest, time.Since(begun))
	}
	if quickest > time.Second {
		t.Errorf("of three late ratings the index knew the quickest after %v, want a second at most", quickest)
	}
	if r := server.interrupt(); r.code != exitDone {
		t.Errorf("an interrupted server: got exit code %d: %s", r.code, r.err)
	}
}

// Two looks at one subscription would both end where the other's finds are known.
func TestASubscriptionIsLookedAtByOne(t *testing.T) {
	museum, home := startMuseum(t, 4), t.TempDir()
	mustRun(t, "subscribe", "--museum", museum.addr, "--data", home, "--name", "mine", "--every", "1h")
	args := []string{"subscribe", "check", "mine", "--data", home}
	look(t, home, func(ctx context.Context, c catalog.Catalog) error {
		lease, err := c.AcquireLease(ctx, "crawl-mine")
		if err != nil {
			return err
		}
		mustFail(t, exitFailed, []string{"crawl-mine", fmt.Sprint(os.Getpid())}, args...)
		return lease.Release()
	})
	if requests := museum.pictureRequests(); len(requests) > 0 {
		t.Errorf("the second look fetched %d pictures", len(requests))
	}
	mustRun(t, args...)
}
