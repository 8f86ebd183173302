package hub

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// Remote is what the hub says of a file.
type Remote struct {
	// Commit is the one that the revision stands for.
	Commit string
	// SHA256 is the file's; empty if the hub does not tell it.
	SHA256 string
	// GitSHA1 is what git calls a file that the repository has in itself, as
	// it has small ones: of those the hub tells no SHA-256.
	GitSHA1 string
	// Size in bytes, -1 if the hub does not tell it.
	Size int64

	location string // where its bytes are
}

// Stat asks the hub for a file, once: nothing is tried again. No such
// repository, revision or file is palate.ErrNotFound; a hub that can't be
// reached, refuses, or must not be asked (offline) is palate.ErrUnavailable.
func (c *Client) Stat(ctx context.Context, f File) (Remote, error) {
	if err := f.Validate(); err != nil {
		return Remote{}, err
	}
	if c.config.Offline {
		return Remote{}, c.offlineError(f)
	}
	return c.stat(ctx, f)
}

func (c *Client) offlineError(f File) error {
	return fmt.Errorf("%s is not in %s, and palate is offline (HF_HUB_OFFLINE or --offline): %w", f, c.config.CacheDir, palate.ErrUnavailable)
}

func (c *Client) stat(ctx context.Context, f File) (Remote, error) {
	address := c.endpoint.JoinPath(f.Repository, "resolve", f.Revision, f.Path).String()
	req, err := c.request(ctx, http.MethodHead, address)
	if err != nil {
		return Remote{}, err
	}
	resp, err := c.head.Do(req)
	if err != nil {
		return Remote{}, unreachable(ctx, c.endpoint.Host, err)
	}
	resp.Body.Close()
	redirects := resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.Header.Get("Location") != ""
	if resp.StatusCode != http.StatusOK && !redirects {
		return Remote{}, c.statusError(f, resp)
	}
	return remoteOf(f, resp)
}

// remoteOf reads the headers of the hub's last answer, of which the first
// answer may have had some too.
func remoteOf(f File, resp *http.Response) (Remote, error) {
	r := Remote{Size: -1, location: resp.Request.URL.String()}
	header := func(name string) string {
		for last := resp; last != nil; last = last.Request.Response {
			if value := last.Header.Get(name); value != "" {
				return value
			}
		}
		return ""
	}
	if location := resp.Header.Get("Location"); location != "" {
		u, err := resp.Request.URL.Parse(location)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" {
			return Remote{}, fmt.Errorf("%s: the hub redirects to %q: %w", f, location, palate.ErrUnavailable)
		}
		r.location = u.String()
	}
	r.Commit = header("X-Repo-Commit")
	if r.Commit == "" && commitPattern.MatchString(f.Revision) {
		r.Commit = f.Revision
	}
	if !commitPattern.MatchString(r.Commit) {
		return Remote{}, fmt.Errorf("%s: %s answers without a commit (X-Repo-Commit), as a hub does not: %w", f, resp.Request.URL.Host, palate.ErrUnavailable)
	}
	if commitPattern.MatchString(f.Revision) && r.Commit != f.Revision {
		return Remote{}, fmt.Errorf("%s: asked for commit %s, the hub answers with %s: %w", f, f.Revision, r.Commit, palate.ErrUnavailable)
	}
	etag := header("X-Linked-Etag")
	if etag == "" && resp.StatusCode == http.StatusOK {
		etag = resp.Header.Get("ETag") // of a redirect it is of the redirect
	}
	etag = strings.ToLower(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`))
	switch {
	case sha256Pattern.MatchString(etag):
		r.SHA256 = etag
	case commitPattern.MatchString(etag):
		r.GitSHA1 = etag
	}
	size := header("X-Linked-Size")
	if size == "" && resp.StatusCode == http.StatusOK {
		size = resp.Header.Get("Content-Length")
	}
	if n, err := strconv.ParseInt(size, 10, 64); err == nil && n >= 0 {
		r.Size = n
	}
	return r, nil
}
