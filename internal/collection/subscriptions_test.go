package collection_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
)

// handClock is moved by the test: a wait ends where the time is set beyond it.
type handClock struct {
	mu    sync.Mutex
	now   time.Time
	waits map[time.Time]chan time.Time
	asked chan struct{} // one for each wait that begins
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(chan time.Time, 1)
	c.waits[c.now.Add(d)] = out
	c.asked <- struct{}{}
	return out
}

// pass sets the time, and returns when what then ran waits again.
func (c *handClock) pass(t *testing.T, d time.Duration) {
	t.Helper()
	c.mu.Lock()
	c.now = c.now.Add(d)
	for until, out := range c.waits {
		if !until.After(c.now) {
			delete(c.waits, until)
			out <- c.now
		}
	}
	c.mu.Unlock()
	c.wait(t)
}

func (c *handClock) wait(t *testing.T) {
	t.Helper()
	select {
	case <-c.asked:
	case <-time.After(time.Minute):
		t.Fatal("subscriptions are not looked at")
	}
}

// growingSite is one page of pictures.
type growingSite struct {
	mu       sync.Mutex
	pictures int
	pages    int // how often the page was asked for
}

func (s *growingSite) grow(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pictures += n
}

func (s *growingSite) looks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pages
}

func (s *growingSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.URL.Path == "/":
		s.pages++
		w.Header().Set("Content-Type", "text/html")
		for i := range s.pictures {
			fmt.Fprintf(w, `<img src="/%d.png">`, s.pictures-1-i)
		}
	case strings.HasSuffix(r.URL.Path, ".png"):
		sum := fnv.New32()
		sum.Write([]byte(r.URL.Path))
		shade := sum.Sum32()
		picture := image.NewRGBA(image.Rect(0, 0, 300, 260))
		for y := range 260 {
			for x := range 300 {
				picture.Set(x, y, color.RGBA{uint8(shade) + uint8(x), uint8(shade>>8) + uint8(y), uint8(shade >> 16), 255})
			}
		}
		_ = png.Encode(w, picture)
	default:
		http.NotFound(w, r)
	}
}

// A server looks at subscriptions when they are due, embeds what came, and
// looks less often where nothing comes.
func TestAServerLooksAtSubscriptionsWhenTheyAreDue(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	config := collection.DefaultConfig(t.TempDir(), t.TempDir())
	config.Models.Asked.Model = baseline.Name
	c, err := collection.Open(ctx, config, collection.Silent{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, err := c.OpenModel(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	site := &growingSite{pictures: 5}
	web := httptest.NewServer(site)
	defer web.Close()
	pause := time.Duration(0)
	settings, err := json.Marshal(collection.CrawlSettings{Seeds: []string{web.URL + "/"}, CrawlBehaviour: collection.CrawlBehaviour{
		Contact: "me@example.org", MaxDepth: -1, Retries: -1, Delay: &pause}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	clock := &handClock{now: start, waits: map[time.Time]chan time.Time{}, asked: make(chan struct{}, 1)}
	const day = 24 * time.Hour
	if err := c.Catalog.PutSubscription(ctx, catalog.Subscription{Name: "daily", Settings: string(settings), Every: day, Next: start}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- m.Serve(ctx, listener, collection.ServeOptions{Embed: true, Clock: clock, Version: "test",
			Answer: func(*collection.Model) (func(context.Context, net.Listener) error, error) {
				return func(ctx context.Context, _ net.Listener) error { <-ctx.Done(); return nil }, nil
			}})
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	clock.wait(t) // the first look has ended
	for _, step := range []struct {
		what    string
		passes  time.Duration
		grows   int
		looks   int // so far
		brought int // by the last look
		next    time.Duration
	}{
		{"at the start", 0, 0, 1, 5, day},
		{"a minute before it is due", day - time.Minute, 3, 1, 5, day},
		{"a day later", time.Minute, 0, 2, 3, 2 * day},
		{"nothing new", day, 0, 3, 0, 3 * day},
		{"again", day, 0, 4, 0, 4 * day},
		{"a third time: from now on every other day", day, 0, 5, 0, 6 * day},
		{"the day between", day, 2, 5, 0, 6 * day},
		{"what came is found, and it is daily again", day, 0, 6, 2, 7 * day},
	} {
		site.grow(step.grows)
		if step.passes > 0 {
			clock.pass(t, step.passes)
		}
		one, err := c.Subscription(ctx, "daily")
		if err != nil {
			t.Fatal(err)
		}
		if site.looks() != step.looks || one.Brought != step.brought || !one.Next.Equal(start.Add(step.next)) || one.Failure != "" {
			t.Fatalf("%s: looked %d times, brought %d, next after %v (%s); want %d, %d, %v", step.what, site.looks(), one.Brought, one.Next.Sub(start), one.Failure, step.looks, step.brought, step.next)
		}
	}
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		n, err := c.Catalog.CountEmbeddings(ctx, m.Embedder.Model())
		if err != nil {
			t.Fatal(err)
		}
		if n == 10 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%d embedded, want the 10 pictures that came", n)
		}
	}
}
