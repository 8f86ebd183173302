package crawler

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"time"
)

// body is an answer's body under the limits of time, size and bandwidth.
// Like any body it is read by one goroutine.
type body struct {
	io.ReadCloser
	ctx     context.Context
	end     context.CancelFunc
	silence *time.Timer // ends ctx where nothing comes for Config.Timeout
	lane    *lane
	leave   func()
	left    int64 // bytes that may come
	manners *manners
	once    sync.Once
}

// newBody begins the time of a request.
func newBody(ctx context.Context, m *manners, l *lane, leave func()) *body {
	ctx, end := context.WithTimeoutCause(ctx, m.cfg.MaxTime, errRequestTooOld)
	ctx, cancel := context.WithCancelCause(ctx)
	return &body{
		ReadCloser: http.NoBody, ctx: ctx, end: func() { cancel(nil); end() }, lane: l, leave: leave, left: math.MaxInt64, manners: m,
		silence: time.AfterFunc(m.cfg.Timeout, func() { cancel(errRequestTooOld) }),
	}
}

// answered takes the place of the answer's body.
func (b *body) answered(resp *http.Response) {
	b.silence.Stop()
	b.ReadCloser, resp.Body = resp.Body, b
}

// Read fails with errTooLarge instead of ending early: a picture cut in
// silence would look like the site's own broken one.
func (b *body) Read(p []byte) (int, error) {
	if err := b.lane.spend(b.ctx, min(len(p), 32<<10)); err != nil {
		return 0, untangle(b.ctx, err)
	}
	b.silence.Reset(b.manners.cfg.Timeout)
	n, err := b.ReadCloser.Read(p[:min(len(p), 32<<10)])
	b.silence.Stop()
	b.manners.take(n)
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
		b.silence.Stop()
		b.end()
		b.leave()
	})
	return err
}
