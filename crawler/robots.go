package crawler

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/temoto/robotstxt"
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
	rules   *robotstxt.RobotsData
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
	group := rules.FindGroup(r.cfg.Agent)
	if !group.Test(path) || !group.Test(decodedPath(path)) {
		return 0, fmt.Errorf("%s: %w", u.Redacted(), errRobots)
	}
	if group.CrawlDelay > r.cfg.MaxCrawlDelay {
		return 0, fmt.Errorf("%s asks for %v between requests, at most %v are waited: %w", key, group.CrawlDelay, r.cfg.MaxCrawlDelay, errRobots)
	}
	return group.CrawlDelay, nil
}

// decodedPath lets a rule hold however the address is percent-encoded.
func decodedPath(path string) string {
	if s, err := url.PathUnescape(path); err == nil {
		return s
	}
	return path
}

// fetch reads a host's file. A status of 400 to 499 means that there is none
// and all is allowed, except 429, which like 5xx says nothing for now.
func (r *robots) fetch(ctx context.Context, base string) (*robotstxt.RobotsData, error) {
	// robots.txt is read beyond its limit rather than failing there: RFC
	// 9309 says to use the beginning.
	ctx = withTraffic(ctx, traffic{robots: true, trusted: true, maxBytes: math.MaxInt64})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/robots.txt", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", r.cfg.userAgent())
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return nil, fmt.Errorf("HTTP %d", resp.StatusCode)
	case resp.StatusCode >= 300:
		return robotstxt.FromBytes(nil)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRobotsBytes))
	if err != nil {
		return nil, err
	}
	return parseRobots(text)
}

// parseRobots passes over lines that the parser would refuse the file for.
func parseRobots(text []byte) (*robotstxt.RobotsData, error) {
	rules, err := robotstxt.FromBytes(text)
	if err == nil {
		return rules, nil
	}
	var kept [][]byte
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) {
		name, _, found := strings.Cut(strings.ToLower(string(line)), ":")
		switch strings.TrimSpace(name) {
		case "user-agent", "disallow", "allow":
			if found {
				kept = append(kept, line)
			}
		}
	}
	return robotstxt.FromBytes(bytes.Join(kept, nil))
}
