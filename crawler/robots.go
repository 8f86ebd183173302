package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	maxRobotsBytes = 512 << 10 // RFC 9309 asks for at least 500 KiB
	robotsLife     = 24 * time.Hour
)

// robots answers whether robots.txt (RFC 9309) lets an address be visited.
// It is safe for concurrent use; a host's file is fetched once at a time.
type robots struct {
	cfg    Config
	client *http.Client

	mu    sync.Mutex
	hosts map[string]*robotsEntry
}

type robotsEntry struct {
	turn    chan struct{} // holds one token; who takes it may read and fetch
	rules   robotsRules
	err     error
	expires time.Time
}

// check gives the delay that the host asks for, or errRobots, or
// errRobotsFailed where nobody can say: then the host is left alone for now.
func (r *robots) check(ctx context.Context, u *url.URL) (time.Duration, error) {
	key := u.Scheme + "://" + u.Host
	r.mu.Lock()
	e := r.hosts[key]
	if e == nil {
		e = &robotsEntry{turn: make(chan struct{}, 1)}
		e.turn <- struct{}{}
		r.hosts[key] = e
	}
	r.mu.Unlock()

	select {
	case <-e.turn:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if now := time.Now(); now.After(e.expires) {
		e.rules, e.err = r.fetch(ctx, key)
		if ctx.Err() != nil {
			e.turn <- struct{}{}
			return 0, context.Cause(ctx)
		}
		e.expires = time.Now().Add(robotsLife)
		if e.err != nil {
			e.expires = time.Now().Add(r.cfg.RetryDelay)
		}
	}
	rules, err := e.rules, e.err
	e.turn <- struct{}{}
	if err != nil {
		return 0, fmt.Errorf("%s/robots.txt: %w: %w", key, errRobotsFailed, err)
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if !rules.allows(path) {
		return 0, fmt.Errorf("%s: %w", u.Redacted(), errRobots)
	}
	if rules.delay > r.cfg.MaxCrawlDelay {
		return 0, fmt.Errorf("%s asks for %v between requests, at most %v are waited: %w", key, rules.delay, r.cfg.MaxCrawlDelay, errRobots)
	}
	return rules.delay, nil
}

// fetch reads a host's file. A status of 400 to 499 means that there is none
// and all is allowed, except 429, which like 5xx says nothing for now.
func (r *robots) fetch(ctx context.Context, base string) (robotsRules, error) {
	// robots.txt is read beyond its limit rather than failing there: RFC
	// 9309 says to use the beginning.
	ctx = withTraffic(ctx, traffic{robots: true, trusted: true, maxBytes: math.MaxInt64})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/robots.txt", nil)
	if err != nil {
		return robotsRules{}, err
	}
	req.Header.Set("User-Agent", r.cfg.userAgent())
	resp, err := r.client.Do(req)
	switch {
	case errors.Is(err, errRedirects):
		return robotsRules{}, nil // as if there were none, section 2.3.1.2
	case err != nil:
		return robotsRules{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return robotsRules{}, fmt.Errorf("HTTP %d", resp.StatusCode)
	case resp.StatusCode >= 300:
		return robotsRules{}, nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRobotsBytes))
	if err != nil {
		return robotsRules{}, err
	}
	if len(text) == maxRobotsBytes {
		// A line that is cut says something else.
		text = text[:bytes.LastIndexAny(text, "\r\n")+1]
	}
	return parseRobots(string(text), r.cfg.Agent), nil
}
