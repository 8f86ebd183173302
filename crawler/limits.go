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
	pace         *pace
	api          chan struct{} // requests to an API come one at a time
}

func newSite(name string, limits SiteLimits, retryDelay time.Duration) *site {
	s := &site{pace: newPace(retryDelay), api: make(chan struct{}, 1)}
	if name == "wikimedia.org" {
		s.pages, s.media = newLane(name, stricter(limits, wikimediaPages), s.pace), newLane(name, stricter(limits, wikimediaMedia), s.pace)
		return s
	}
	s.pages = newLane(name, limits, s.pace)
	s.media = s.pages
	return s
}

// enter waits until a request may start. The caller calls leave once after
// the body's end. Its error is a *heldError where the site wants none for
// longer than anybody waits here.
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

// lane is one allowance of parallel requests with its pace.
type lane struct {
	site  string
	slots chan struct{} // as many as requests may run at a time
	bytes *rate.Limiter // nil is no bound
	pace  *pace         // of the whole site

	mu    sync.Mutex
	delay time.Duration
	last  time.Time // when the last request started
}

func newLane(site string, l SiteLimits, p *pace) *lane {
	out := &lane{site: site, slots: make(chan struct{}, l.Parallelism), delay: l.Delay, pace: p}
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

// kept is the gap between two requests that configuration and robots.txt ask
// for.
func (l *lane) kept() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.delay
}

// acquire waits for a slot and for the pace. Who has slept looks again: the
// site may have asked for more meanwhile. The caller calls leave after the
// body's end.
func (l *lane) acquire(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		wait, err := l.claim(time.Now())
		if err == nil && wait > 0 {
			err = sleep(ctx, wait)
		} else if err == nil {
			return nil
		}
		if err != nil {
			l.leave()
			return err
		}
	}
}

// claim takes the next start if its time has come, or says how long it is
// until then.
func (l *lane) claim(now time.Time) (wait time.Duration, err error) {
	gap, until := l.pace.now()
	if until.Sub(now) > patience {
		return 0, &heldError{site: l.site, until: until}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// The gap may have grown since the last start.
	start := l.last.Add(max(gap, l.delay))
	if until.After(start) {
		start = until
	}
	if start.After(now) {
		return start.Sub(now), nil
	}
	l.last = now
	return 0, nil
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
