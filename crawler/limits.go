package crawler

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
	"golang.org/x/time/rate"
)

// wikimediaDomains count together at Wikimedia.
var wikimediaDomains = []string{
	"wikimedia.org", "wikipedia.org", "wikidata.org", "wikisource.org", "wiktionary.org", "wikibooks.org", "wikinews.org",
	"wikiquote.org", "wikiversity.org", "wikivoyage.org", "wikifunctions.org", "mediawiki.org", "wikimediafoundation.org",
}

// Wikimedia's limits: one request at a time to APIs and pages and under five
// a second, two pictures at a time and 25 Mbit/s, over all of its hosts.
var (
	wikimediaPages = SiteLimits{Parallelism: 1, Delay: 250 * time.Millisecond}
	wikimediaMedia = SiteLimits{Parallelism: 2, Delay: 100 * time.Millisecond, BytesPerSecond: 25_000_000 / 8}
)

// siteOf names whom the requests to a host count against: its registrable
// domain, or the host itself where it has none.
func siteOf(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return host
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	if slices.Contains(wikimediaDomains, domain) {
		return "wikimedia.org"
	}
	return domain
}

// stricter takes the lower of two allowances.
func stricter(a, b SiteLimits) SiteLimits {
	a.Parallelism, a.Delay = min(a.Parallelism, b.Parallelism), max(a.Delay, b.Delay)
	if a.BytesPerSecond == 0 || b.BytesPerSecond != 0 && b.BytesPerSecond < a.BytesPerSecond {
		a.BytesPerSecond = b.BytesPerSecond
	}
	return a
}

// site is the allowance of one registrable domain. Where pages and pictures
// have one allowance together, both lanes are the same.
type site struct {
	pages, media *lane
	api          chan struct{} // requests to an API come one at a time
}

func newSite(name string, limits SiteLimits) *site {
	if name == "wikimedia.org" {
		return &site{
			pages: newLane(stricter(limits, wikimediaPages)), media: newLane(stricter(limits, wikimediaMedia)), api: make(chan struct{}, 1),
		}
	}
	l := newLane(limits)
	return &site{pages: l, media: l, api: make(chan struct{}, 1)}
}

// enter waits until a request may start. The caller calls leave once after
// the body's end.
func (s *site) enter(ctx context.Context, l *lane, t traffic) (leave func(), err error) {
	leave = l.leave
	if t.api {
		select {
		case s.api <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		leave = func() { l.leave(); <-s.api }
	}
	if err := l.acquire(ctx); err != nil {
		if t.api {
			<-s.api
		}
		return nil, err
	}
	return leave, nil
}

// slowTo makes the pace at most one request per delay.
func (s *site) slowTo(delay time.Duration) {
	s.pages.slowTo(delay)
	s.media.slowTo(delay)
}

// hold lets no request start before that time.
func (s *site) hold(until time.Time) {
	s.pages.hold(until)
	s.media.hold(until)
}

// lane is one allowance of parallel requests with its pace.
type lane struct {
	slots chan struct{} // as many as requests may run at a time
	bytes *rate.Limiter // nil is no bound

	mu    sync.Mutex
	delay time.Duration
	next  time.Time // when the next request may start
}

func newLane(l SiteLimits) *lane {
	out := &lane{slots: make(chan struct{}, l.Parallelism), delay: l.Delay}
	if l.BytesPerSecond > 0 {
		out.bytes = rate.NewLimiter(rate.Limit(l.BytesPerSecond), max(1, int(min(l.BytesPerSecond, 1<<20))))
	}
	return out
}

func (l *lane) slowTo(delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = max(l.delay, delay)
}

func (l *lane) hold(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.next) {
		l.next = until
	}
}

// acquire waits for a slot and for the pace. The caller calls leave after the
// body's end.
func (l *lane) acquire(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	l.mu.Lock()
	now := time.Now()
	start := now
	if l.next.After(now) {
		start = l.next
	}
	l.next = start.Add(l.delay)
	l.mu.Unlock()
	if err := sleep(ctx, start.Sub(now)); err != nil {
		l.leave()
		return err
	}
	return nil
}

func (l *lane) leave() { <-l.slots }

// spend waits until n bytes are allowed.
func (l *lane) spend(ctx context.Context, n int) error {
	for l.bytes != nil && n > 0 {
		part := min(n, l.bytes.Burst())
		if err := l.bytes.WaitN(ctx, part); err != nil {
			return err
		}
		n -= part
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
