package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate"
)

var errStalled = errors.New("no byte came for too long")

// attempt appends to the partial file what it lacks, and gives the bytes that
// it has then.
func (c *Client) attempt(ctx context.Context, f File, remote Remote, partial string) (has int64, err error) {
	file, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return 0, c.cacheError(err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = c.cacheError(closeErr)
		}
	}()
	has, err = file.Seek(0, io.SeekEnd)
	if err == nil && remote.Size >= 0 && has > remote.Size {
		has, err = 0, startAgain(file)
	}
	if err != nil {
		return 0, c.cacheError(err)
	}
	if has == remote.Size {
		return has, nil
	}
	if has, err = c.append(ctx, f, remote, file, has); err != nil {
		return has, err
	}
	return has, c.cacheError(file.Sync())
}

func startAgain(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.Seek(0, io.SeekStart)
	return err
}

// append gets the bytes from have on, writes them, and gives how many the file
// has then.
func (c *Client) append(ctx context.Context, f File, remote Remote, file *os.File, have int64) (has int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := c.request(ctx, http.MethodGet, remote.location)
	if err != nil {
		return have, fmt.Errorf("%s: %w", f, err)
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return have, unreachable(ctx, req.URL.Host, err)
	}
	defer resp.Body.Close()
	host := resp.Request.URL.Host
	total := remote.Size
	switch {
	case resp.StatusCode == http.StatusPartialContent && have > 0 && rangeBegins(resp, have):
	case resp.StatusCode == http.StatusOK,
		resp.StatusCode == http.StatusPartialContent,
		resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		// The server does not go on where we were.
		if err := startAgain(file); err != nil {
			return 0, c.cacheError(err)
		}
		if resp.StatusCode != http.StatusOK {
			return 0, passingError{error: fmt.Errorf("%s: %s does not send what it was asked for (%s): %w", f, host, resp.Status, palate.ErrUnavailable)}
		}
		have = 0
	case host == c.endpoint.Host:
		return have, c.statusError(f, resp)
	case resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized:
		// An address that was given for a while ran out: ask the hub anew.
		return have, passingError{error: fmt.Errorf("%s: %s answers %s: %w", f, host, resp.Status, palate.ErrUnavailable)}
	default:
		return have, statusOf(host, resp)
	}
	if total < 0 && resp.ContentLength >= 0 {
		total = have + resp.ContentLength
	}
	stall := time.AfterFunc(c.config.StallTimeout, func() { cancel(errStalled) })
	defer stall.Stop()
	c.progress(f, "downloading", have, max(total, 0))
	in := &arrivals{r: resp.Body, seen: func(n int64) {
		stall.Reset(c.config.StallTimeout)
		c.progress(f, "downloading", have+n, max(total, 0))
	}}
	var body io.Reader = in
	if total >= 0 {
		body = io.LimitReader(in, total-have+1)
	}
	got, err := io.CopyBuffer(writerOnly{file}, body, make([]byte, 1<<18))
	has = have + got
	switch {
	case in.err != nil && in.err != io.EOF:
		if errors.Is(context.Cause(ctx), errStalled) {
			in.err = errStalled
		} else if ctx.Err() != nil {
			return has, fmt.Errorf("%s: %w", f, context.Cause(ctx))
		}
		return has, passingError{error: fmt.Errorf("%s: the download broke off after %d bytes: %w: %w", f, has, palate.ErrUnavailable, in.err)}
	case err != nil:
		return has, fmt.Errorf("%s: after %d bytes, which are kept: %w", f, has, c.cacheError(err))
	case total >= 0 && has > total:
		return 0, errors.Join(fmt.Errorf("%s: %s sends more than the %d bytes it announced: %w", f, host, total, palate.ErrUnavailable), startAgain(file))
	case total >= 0 && has < total:
		return has, passingError{error: fmt.Errorf("%s: the download ended after %d of %d bytes: %w", f, has, total, palate.ErrUnavailable)}
	}
	return has, nil
}

// rangeBegins reports whether a 206 continues at the given byte.
func rangeBegins(resp *http.Response, at int64) bool {
	text, found := strings.CutPrefix(resp.Header.Get("Content-Range"), "bytes ")
	first, _, _ := strings.Cut(text, "-")
	n, err := strconv.ParseInt(first, 10, 64)
	return found && err == nil && n == at
}

// arrivals tells how many bytes came, and keeps the error that ended them
// apart from those of writing.
type arrivals struct {
	r    io.Reader
	n    int64
	err  error
	seen func(n int64)
}

func (a *arrivals) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	a.n += int64(n)
	a.err = err
	if n > 0 {
		a.seen(a.n)
	}
	return n, err
}

// writerOnly hides ReadFrom, which would read past arrivals.
type writerOnly struct{ io.Writer }
