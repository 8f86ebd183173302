package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Client downloads files. It is safe for concurrent use, also by several
// processes that share a cache: one downloads a file, the others wait for it.
type Client struct {
	config   Config
	endpoint *url.URL
	http     *http.Client // follows redirects
	head     *http.Client // follows those within the hub
}

// New makes a client; it asks nobody anything yet.
func New(c Config) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	if c.Symlink == nil {
		c.Symlink = os.Symlink
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, err
	}
	client := &Client{config: c, endpoint: endpoint}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: c.ConnectTimeout}).DialContext,
		TLSHandshakeTimeout:   c.ConnectTimeout,
		ResponseHeaderTimeout: c.StallTimeout,
		IdleConnTimeout:       c.StallTimeout,
		ForceAttemptHTTP2:     true,
	}
	client.http = &http.Client{Transport: transport, CheckRedirect: client.follow}
	client.head = &http.Client{Transport: transport, CheckRedirect: client.followWithin}
	return client, nil
}

// CacheDir is the folder of the hub's cache; empty if there is none.
func (c *Client) CacheDir() string { return c.config.CacheDir }

// maxRedirects bounds a chain of redirects.
const maxRedirects = 10

// follow goes wherever it is sent, with the token only to the hub itself:
// scheme, host and port must be the same. (net/http alone would keep it for
// another port and for subdomains.)
func (c *Client) follow(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errors.New("too many redirects")
	}
	c.authorise(req)
	return nil
}

// followWithin follows a redirect that stays where it is, and gives the answer
// that redirects elsewhere.
func (c *Client) followWithin(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	if req.URL.Host != last.Host || req.URL.Scheme != last.Scheme {
		return http.ErrUseLastResponse
	}
	return c.follow(req, via)
}

func (c *Client) authorise(req *http.Request) {
	req.Header.Del("Authorization")
	if c.config.Token != "" && req.URL.Host == c.endpoint.Host && req.URL.Scheme == c.endpoint.Scheme {
		req.Header.Set("Authorization", "Bearer "+c.config.Token)
	}
}

func (c *Client) request(ctx context.Context, method, address string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.config.UserAgent)
	// The size and the hash are of the bytes as they are stored.
	req.Header.Set("Accept-Encoding", "identity")
	c.authorise(req)
	return req, nil
}

func (c *Client) progress(f File, stage string, done, total int64) {
	if c.config.Progress != nil {
		c.config.Progress(f.String()+": "+stage, done, total)
	}
}

// lock takes the lock of one blob, which other clients of the hub take too.
func (c *Client) lock(ctx context.Context, f File, sum string) (unlock func(), err error) {
	dir := filepath.Join(c.config.CacheDir, ".locks", f.folder())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, c.cacheError(err)
	}
	lock := flock.New(filepath.Join(dir, sum+".lock"))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		c.progress(f, "waiting for another process that downloads it", 0, 0)
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("wait for another process that downloads %s: %w", f, ctx.Err())
		}
		return nil, c.cacheError(err)
	}
	return func() { _ = lock.Close() }, nil // closing the file releases the lock whatever Close says
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
