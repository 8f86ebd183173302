package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
)

// Fetch gives a file from the cache, else downloads it there. A download that
// was cut, or whose process was killed, goes on where it was at the next
// Fetch. What came is kept only if it has the hash that f pins, else the one
// that the hub announces.
//
// The errors are those of Stat. A hub that announces another hash or size than
// f pins is palate.ErrUnavailable; so are bytes with another hash than was
// wanted, and they are removed. A cache that can't be written is a *CacheError.
// It returns promptly with ctx's error once ctx is done.
func (c *Client) Fetch(ctx context.Context, f File) (Local, error) {
	local, err := c.Find(f)
	if err == nil || !errors.Is(err, palate.ErrNotFound) {
		return local, err
	}
	switch {
	case c.config.Offline:
		return Local{}, c.offlineError(f)
	case c.config.CacheDir == "":
		return Local{}, fmt.Errorf("no folder to download %s into: set HF_HUB_CACHE: %w", f, palate.ErrUnavailable)
	}
	remote, err := c.statAgain(ctx, f)
	if err != nil {
		return Local{}, err
	}
	sum, err := agree(f, remote)
	if err != nil {
		return Local{}, err
	}
	unlock, err := c.lock(ctx, f, sum)
	if err != nil {
		return Local{}, err
	}
	defer unlock()
	// Another process may have brought it while this one waited.
	if info, err := os.Stat(c.blob(f, sum)); err != nil || remote.Size >= 0 && info.Size() != remote.Size {
		if err := c.download(ctx, f, remote, sum); err != nil {
			return Local{}, err
		}
	}
	if local, err = c.show(f, remote.Commit, sum); err != nil {
		return Local{}, fmt.Errorf("%s: %w", f, c.cacheError(err))
	}
	return local, nil
}

// agree gives the hash that the bytes must have.
func agree(f File, r Remote) (string, error) {
	switch {
	case f.SHA256 != "" && r.SHA256 != "" && f.SHA256 != r.SHA256:
		return "", fmt.Errorf("%s: the hub announces SHA-256 %s, want %s; it is not the file that palate knows: %w", f, r.SHA256, f.SHA256, palate.ErrUnavailable)
	case f.Size != 0 && r.Size >= 0 && f.Size != r.Size:
		return "", fmt.Errorf("%s: the hub announces %d bytes, want %d; it is not the file that palate knows: %w", f, r.Size, f.Size, palate.ErrUnavailable)
	case f.SHA256 != "":
		return f.SHA256, nil
	case r.SHA256 != "":
		return r.SHA256, nil
	case r.GitSHA1 != "" && r.Size <= maxGitBytes:
		return r.GitSHA1, nil
	}
	return "", fmt.Errorf("%s: the hub tells no SHA-256 (X-Linked-Etag), and none is known to hold the file against: %w", f, palate.ErrUnavailable)
}

// maxGitBytes bounds what is believed by git's SHA-1: such files are a model's
// configuration. Larger ones have a SHA-256 on a hub.
const maxGitBytes = 32 << 20

// statAgain is stat with attempts.
func (c *Client) statAgain(ctx context.Context, f File) (Remote, error) {
	var remote Remote
	err := c.again(ctx, f, func() (bool, error) {
		var err error
		remote, err = c.stat(ctx, f)
		return false, err
	})
	return remote, err
}

// again tries until it works, until an error won't pass, or until Attempts in
// a row brought nothing.
func (c *Client) again(ctx context.Context, f File, try func() (brought bool, err error)) error {
	backoff := c.config.Backoff
	for failed := 0; ; {
		brought, err := try()
		after, passes := passing(err)
		if err == nil || !passes {
			return err
		}
		if brought {
			failed, backoff = 0, c.config.Backoff
		}
		if failed++; failed >= c.config.Attempts {
			if failed > 1 {
				return fmt.Errorf("%w (tried %d times)", err, failed)
			}
			return err
		}
		if after > c.config.MaxWait {
			return fmt.Errorf("%w (it asks to come again after %v)", err, after.Round(time.Second))
		}
		pause := max(after, backoff)
		c.config.Logger.InfoContext(ctx, "download failed; trying again", "file", f.String(), "error", err, "wait", pause)
		if err := c.config.Wait(ctx, pause); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		backoff = min(2*backoff, c.config.MaxWait)
	}
}

// download brings the blob. The caller holds its lock.
func (c *Client) download(ctx context.Context, f File, remote Remote, sum string) error {
	blob := c.blob(f, sum)
	if err := os.MkdirAll(filepath.Dir(blob), 0o755); err != nil {
		return c.cacheError(err)
	}
	partial := blob + ".incomplete"
	resumed, err := c.fill(ctx, f, remote, partial)
	if err == nil {
		err = c.accept(ctx, f, partial, sum)
	}
	if resumed && errors.Is(err, errWrongBytes) {
		// The beginning may be another program's, or a lying disk's.
		c.config.Logger.WarnContext(ctx, "resumed download has the wrong hash; downloading all of it", "file", f.String())
		if _, err = c.fill(ctx, f, remote, partial); err == nil {
			err = c.accept(ctx, f, partial, sum)
		}
	}
	if err != nil {
		return err
	}
	return c.cacheError(atomicfile.Move(partial, blob))
}

// fill downloads until the partial file has all bytes. It reports whether a
// part of them was there before.
func (c *Client) fill(ctx context.Context, f File, remote Remote, partial string) (resumed bool, err error) {
	furthest := int64(0)
	if info, err := os.Stat(partial); err == nil {
		furthest = info.Size()
	}
	resumed = furthest > 0
	first := true
	err = c.again(ctx, f, func() (bool, error) {
		if !first {
			// An address that was given for a while may have run out.
			now, err := c.stat(ctx, f)
			if err != nil {
				return false, err
			}
			remote.location = now.location
		}
		first = false
		has, err := c.attempt(ctx, f, remote, partial)
		brought := has > furthest // not if it began again and came less far
		furthest = max(furthest, has)
		return brought, err
	})
	return resumed, err
}

// errWrongBytes marks a file that is complete and not the one that was wanted.
var errWrongBytes = errors.New("wrong bytes")

type wrongBytesError struct{ error }

func (e wrongBytesError) Unwrap() error        { return e.error }
func (e wrongBytesError) Is(target error) bool { return target == errWrongBytes }

// accept holds a complete download against its hash, and removes it if it is
// another's.
func (c *Client) accept(ctx context.Context, f File, partial, sum string) error {
	got, err := hashAs(ctx, partial, sum)
	if err != nil {
		return fmt.Errorf("%s: %w", f, err)
	}
	if got == sum {
		return nil
	}
	wrong := wrongBytesError{fmt.Errorf("%s: the download has %s %s, want %s; it was removed: %w", f, hashName(sum), got, sum, palate.ErrUnavailable)}
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(wrong, err)
	}
	return wrong
}
