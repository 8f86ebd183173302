package processes_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/program"
)

// A server, a crawl, an embed and ratings are processes of their own on one
// folder; the server sees what the others write while it runs.
func TestFourProcessesWorkOnOneFolder(t *testing.T) {
	const pictures = 60
	museum := program.StartMuseum(t, pictures)
	folder := t.TempDir()
	server := program.StartServer(t, "--data", folder, "--no-embed")
	if got := server.Images(url.Values{}); len(got) != 0 {
		t.Fatalf("a server of an empty collection: got %d images", len(got))
	}

	crawl := program.Start(t, "crawl", "--museum", museum.Addr, "--data", folder)
	rates := make(map[string]*program.Process)
	var embeds []*program.Process
	program.Eventually(t, "the crawl, an embed and ten ratings have begun", func() bool {
		for _, id := range server.Images(url.Values{}) {
			if rates[id] == nil && len(rates) < 10 {
				verdict := []string{"like", "dislike"}[len(rates)%2]
				rates[id] = program.Start(t, "rate", verdict, id, "--data", folder, "--json")
			}
		}
		if len(embeds) == 0 && len(rates) > 0 {
			embeds = append(embeds, program.Start(t, "embed", "--data", folder))
		}
		return len(rates) == 10
	})
	crawl.MustEnd()
	for _, p := range append(embeds, program.Start(t, "embed", "--data", folder)) {
		// The first may still be at it, which the second is told.
		if r := p.Wait(); r.Code != program.ExitDone && !regexp.MustCompile("(?i)conflict|holds|another").MatchString(r.Err) {
			t.Errorf("palate embed: got exit code %d: %s", r.Code, r.Err)
		}
	}
	program.Start(t, "embed", "--data", folder).MustEnd()
	var rated []string
	for id, p := range rates {
		p.MustEnd()
		rated = append(rated, id)
	}
	slices.Sort(rated)

	program.Eventually(t, "the server lists all pictures", func() bool { return len(server.Images(url.Values{})) == pictures })
	program.Eventually(t, "the server's index holds all pictures", func() bool { return server.Neighbours(rated[0], "") == pictures-1 })
	program.Eventually(t, "the index filters by the ratings", func() bool { return server.Neighbours(rated[0], "unrated") == pictures-10 })
	type ratingList struct {
		Ratings []struct {
			Image string `json:"image_id"`
		} `json:"ratings"`
	}
	var told []string
	for _, rating := range program.Get[ratingList](server, "/v1/profiles/me/ratings", url.Values{"limit": {"100"}}).Ratings {
		told = append(told, rating.Image)
	}
	slices.Sort(told)
	if !slices.Equal(told, rated) {
		t.Errorf("GET ratings: got %v, want %v", told, rated)
	}
	for judged, want := range map[string]int{"rated": 10, "liked": 5, "disliked": 5, "unrated": pictures - 10} {
		if got := server.Images(url.Values{"profile": {"me"}, "judged": {judged}}); len(got) != want {
			t.Errorf("images judged %q: got %d, want %d", judged, len(got), want)
		}
	}
	// Some more, one by one, while nobody else works: only following can
	// bring them, and within a second, if the machine is not asleep each time.
	quickest := program.Patience
	for i, late := range server.Images(url.Values{"profile": {"me"}, "judged": {"unrated"}})[:3] {
		program.Start(t, "rate", "dislike", late, "--data", folder).MustEnd()
		begun := time.Now()
		program.Eventually(t, "the index knows of a late rating", func() bool { return server.Neighbours(rated[0], "unrated") == pictures-11-i })
		quickest = min(quickest, time.Since(begun))
	}
	if quickest > time.Second {
		t.Errorf("of three late ratings the index knew the quickest after %v, want a second at most", quickest)
	}
	if r := server.Interrupt(); r.Code != program.ExitDone {
		t.Errorf("an interrupted server: got exit code %d: %s", r.Code, r.Err)
	}
}

// Two looks at one subscription would both end where the other's finds are known.
func TestASubscriptionIsLookedAtByOne(t *testing.T) {
	museum, home := program.StartMuseum(t, 4), t.TempDir()
	program.MustRun(t, "subscribe", "--museum", museum.Addr, "--data", home, "--name", "mine", "--every", "1h")
	args := []string{"subscribe", "check", "mine", "--data", home}
	program.Look(t, home, func(ctx context.Context, c catalog.Catalog) error {
		lease, err := c.AcquireLease(ctx, "crawl-mine")
		if err != nil {
			return err
		}
		program.MustFail(t, program.ExitFailed, []string{"crawl-mine", fmt.Sprint(os.Getpid())}, args...)
		return lease.Release()
	})
	if requests := museum.PictureRequests(); len(requests) > 0 {
		t.Errorf("the second look fetched %d pictures", len(requests))
	}
	program.MustRun(t, args...)
}
