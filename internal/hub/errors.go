package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate"
)

// CacheError says that the cache's folder can't be read or written. It is
// palate.ErrUnavailable and the operating system's error.
type CacheError struct {
	Dir string
	err error
}

func (e *CacheError) Error() string { return fmt.Sprintf("the hub's cache in %s: %v", e.Dir, e.err) }

// Unwrap gives the kind and the cause.
func (e *CacheError) Unwrap() []error { return []error{palate.ErrUnavailable, e.err} }

func (c *Client) cacheError(err error) error {
	if err == nil {
		return nil
	}
	return &CacheError{c.config.CacheDir, err}
}

// passingError is one that may not be there at the next attempt; after is how
// long the server asks to wait first.
type passingError struct {
	error
	after time.Duration
}

func (e passingError) Unwrap() error { return e.error }

// unreachable says that a host gave no answer.
func unreachable(ctx context.Context, host string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", host, context.Cause(ctx))
	}
	var withAddress *url.Error
	if errors.As(err, &withAddress) {
		err = withAddress.Err // the address is long, and may be signed
	}
	return passingError{error: fmt.Errorf("%s can't be reached: %w: %w", host, err, palate.ErrUnavailable)}
}

// statusError says what the hub's refusal means and what to do.
func (c *Client) statusError(f File, resp *http.Response) error {
	page := c.endpoint.JoinPath(f.Repository).String()
	said := said(resp)
	code := resp.Header.Get("X-Error-Code")
	switch {
	case code == "RevisionNotFound":
		return fmt.Errorf("the hub's repository %s has no revision %s%s: %w", f.Repository, f.Revision, said, palate.ErrNotFound)
	case code == "EntryNotFound":
		return fmt.Errorf("the hub's repository %s has no file %s at %s%s: %w", f.Repository, f.Path, f.Revision, said, palate.ErrNotFound)
	case code == "GatedRepo" && c.config.Token != "":
		return fmt.Errorf("the hub knows the token (from HF_TOKEN or its file), but the owner of the token has not agreed to the licence of %s: do so at %s, wait where the publisher looks at each, and let the token read gated repositories%s: %w",
			f.Repository, page, said, palate.ErrUnavailable)
	case code == "GatedRepo":
		return fmt.Errorf("the weights of %s are given out only to who has agreed to their licence: do so at %s, then set HF_TOKEN to a token of yours%s: %w",
			f.Repository, page, said, palate.ErrUnavailable)
	case resp.StatusCode == http.StatusUnauthorized && c.config.Token != "":
		return fmt.Errorf("the hub refuses the token (from HF_TOKEN or its file), or there is no repository %s%s: %w", f.Repository, said, palate.ErrUnavailable)
	case resp.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("there is no public repository %s on the hub; if it is private, set HF_TOKEN to a token that may read it%s: %w",
			f.Repository, said, palate.ErrUnavailable)
	case resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("the hub forbids %s; agree to its terms at %s, and set HF_TOKEN to a token that may read it%s: %w", f, page, said, palate.ErrUnavailable)
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return fmt.Errorf("the hub has no %s at revision %s%s: %w", f, f.Revision, said, palate.ErrNotFound)
	}
	return statusOf(resp.Request.URL.Host, resp)
}

// statusOf is for every status that has no meaning of its own.
func statusOf(host string, resp *http.Response) error {
	err := fmt.Errorf("%s answers %s%s: %w", host, resp.Status, said(resp), palate.ErrUnavailable)
	s := resp.StatusCode
	if s == http.StatusRequestTimeout || s == http.StatusTooManyRequests || s >= 500 {
		return passingError{err, retryAfter(resp)}
	}
	return err
}

// said is the server's own message, cut short, for the end of a sentence.
func said(resp *http.Response) string {
	const most = 200
	text := strings.Join(strings.Fields(resp.Header.Get("X-Error-Message")), " ")
	if text == "" {
		return ""
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return " (it says: " + strings.ToValidUTF8(text, "�") + ")"
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func retryAfter(resp *http.Response) time.Duration {
	text := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	when, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now := time.Now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date // the server's clock, by which it said when
	}
	return max(0, when.Sub(now))
}

// passing reports whether another attempt may do better, and after what wait
// the server wants it.
func passing(err error) (after time.Duration, yes bool) {
	var p passingError
	if !errors.As(err, &p) {
		return 0, false
	}
	return p.after, true
}
