package crawler

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// traffic is what a request is for; it decides on lane, size and robots.txt.
type traffic struct {
	media    bool
	robots   bool // the request is for robots.txt itself
	api      bool // the request is to a MediaWiki's API
	siteinfo bool // the request asks whether there is one
	maxBytes int64
	trusted  bool // a redirect may leave the site: a seed's, or a picture's
}

type trafficKey struct{}

func withTraffic(ctx context.Context, t traffic) context.Context {
	return context.WithValue(ctx, trafficKey{}, t)
}

func trafficOf(ctx context.Context) traffic {
	t, _ := ctx.Value(trafficKey{}).(traffic)
	return t
}

// manners is the transport of every request, each hop of a redirect
// included: it asks robots.txt, waits for the site's allowance, and ends what
// takes too long or grows too large. It is safe for concurrent use.
type manners struct {
	cfg    Config
	base   http.RoundTripper
	robots *robots
	wikis  *wikis

	mu    sync.Mutex
	sites map[string]*site
	taken int64 // bytes of all bodies
}

func (m *manners) site(host string) *site {
	name := siteOf(host)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sites[name]
	if s == nil {
		limits := m.cfg.Site
		if own, ok := m.cfg.Sites[name]; ok {
			limits = own
		}
		if own, ok := m.cfg.Sites[host]; ok {
			limits = own
		}
		s = newSite(name, limits)
		m.sites[name] = s
	}
	return s
}

// RoundTrip implements http.RoundTripper.
func (m *manners) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	t := trafficOf(ctx)
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, fmt.Errorf("%s: %w", req.URL.Redacted(), errScheme)
	}
	s := m.site(req.URL.Hostname())
	if m.cfg.RespectRobots && !t.robots && !m.wikis.exempt(t, req.URL) {
		delay, err := m.robots.check(ctx, req.URL)
		if err != nil {
			return nil, err
		}
		s.slowTo(delay)
	}
	l := s.pages
	if t.media {
		l = s.media
	}
	leave, err := s.enter(ctx, l, t)
	if err != nil {
		return nil, err
	}
	// The time spent waiting for the allowance is not the site's.
	ctx, cancel := context.WithTimeoutCause(ctx, m.cfg.Timeout, errRequestTooOld)
	resp, err := m.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		err = untangle(ctx, err)
		cancel()
		leave()
		return nil, err
	}
	b := &body{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, lane: l, leave: leave, left: t.maxBytes, manners: m}
	if resp.StatusCode == http.StatusOK && t.maxBytes > 0 && resp.ContentLength > t.maxBytes {
		_ = b.Close() // nothing of it is wanted
		return nil, fmt.Errorf("%d bytes announced, at most %d allowed: %w", resp.ContentLength, t.maxBytes, errTooLarge)
	}
	if f := statusFailure(resp.StatusCode, resp.Header, time.Now()); f != nil && f.after > 0 {
		s.hold(time.Now().Add(min(f.after, m.cfg.MaxRetryAfter)))
	}
	resp.Body = b
	return resp, nil
}

// untangle gives the reason why a context ended instead of the mere fact.
func untangle(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// body is an answer's body under the limits of time, size and bandwidth.
// Like any body it is read by one goroutine.
type body struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelFunc
	lane    *lane
	leave   func()
	left    int64
	manners *manners
	once    sync.Once
}

// Read fails with errTooLarge instead of ending early: a picture cut in
// silence would look like the site's own broken one.
func (b *body) Read(p []byte) (int, error) {
	if err := b.lane.spend(b.ctx, min(len(p), 32<<10)); err != nil {
		return 0, untangle(b.ctx, err)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), 32<<10)])
	b.manners.mu.Lock()
	b.manners.taken += int64(n)
	b.manners.mu.Unlock()
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("a body without end: %w", errTooLarge)
	}
	if err != nil && err != io.EOF {
		err = untangle(b.ctx, err)
	}
	return n, err
}

// Close gives the site's allowance back.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.cancel()
		b.leave()
	})
	return err
}

func (m *manners) bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken
}

// checkRedirect is the rule for every client of this package.
func (r *run) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errRedirects
	}
	for _, earlier := range via {
		// Sites that set a cookie lead to the same address once; a loop
		// comes back more often.
		if len(via) > 2 && earlier.URL.String() == req.URL.String() {
			return errRedirects
		}
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return fmt.Errorf("redirect to %s: %w", req.URL.Redacted(), errScheme)
	}
	if !trafficOf(req.Context()).trusted && !r.sameSite(via[0].URL.Hostname(), req.URL.Hostname()) {
		return fmt.Errorf("redirect to %s: %w", req.URL.Redacted(), errOffSite)
	}
	return nil
}

// CloseIdleConnections lets http.Client close those of the base.
func (m *manners) CloseIdleConnections() {
	if t, ok := m.base.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}
