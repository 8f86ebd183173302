package crawler

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// traffic is what a request is for; it decides on lane, size and robots.txt.
type traffic struct {
	media      bool
	robots     bool // the request is for robots.txt itself
	api        bool // the request is to a MediaWiki's API
	siteinfo   bool // the request asks whether there is one
	maxBytes   int64
	maxPicture int64 // of an answer that is a picture; 0 is maxBytes
	trusted    bool  // a redirect may leave the site: a seed's, or a picture's
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
// included: it asks robots.txt, waits for the site's allowance, undoes
// encodings, and ends what falls silent or grows too large. It is safe for
// concurrent use.
type manners struct {
	cfg    Config
	base   http.RoundTripper
	robots *robots
	wikis  *wikis
	named  map[string]bool // hosts that the operator named

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
		s = newSite(name, limits, m.cfg.RetryDelay)
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
	began := time.Now()
	b := newBody(ctx, m, l, leave)
	out := req.Clone(b.ctx)
	if m.named[req.URL.Hostname()] {
		for name, values := range m.cfg.Header {
			out.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	// Asked for here, an encoding is undone here and not by net/http.
	out.Header.Set("Accept-Encoding", acceptedEncodings)
	if t.media {
		out.Header.Set("Accept-Encoding", "identity")
	}
	resp, err := m.base.RoundTrip(out)
	if err != nil {
		err = untangle(b.ctx, err)
		_ = b.Close()
		return nil, err
	}
	b.answered(resp)
	m.heed(s, l, began, resp)
	if t.maxPicture > 0 && isPictureType(resp.Header) {
		t.maxBytes = t.maxPicture
	}
	b.left = t.maxBytes
	if resp.StatusCode == http.StatusOK && t.maxBytes > 0 && resp.ContentLength > t.maxBytes {
		_ = b.Close() // nothing of it is wanted
		return nil, fmt.Errorf("%d bytes announced, at most %d allowed: %w", resp.ContentLength, t.maxBytes, errTooLarge)
	}
	if err := decodeBody(resp, t.maxBytes); err != nil {
		_ = b.Close()
		return nil, err
	}
	return resp, nil
}

// heed lets the site's pace follow its answer.
func (m *manners) heed(s *site, l *lane, began time.Time, resp *http.Response) {
	now := time.Now()
	switch f := statusFailure(resp.StatusCode, resp.Header, now); {
	case f != nil && f.after > 0:
		s.pace.hold(now.Add(min(f.after, LongestWait)))
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		s.pace.refused(began, now, l.kept())
	default:
		s.pace.answered(now)
	}
}

// untangle gives the reason why a context ended instead of the mere fact.
func untangle(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (m *manners) bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken
}

func (m *manners) take(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken += int64(n)
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
