package main

import (
	"context"
	"errors"
	"net"
	"time"
)

// errSwitched ends the serving of one model where its successor takes over.
var errSwitched = errors.New("another model serves from now on")

// serveOn serves until ctx is done, with one model after another where the
// collection is upgraded. Connections that come between two wait.
func (h *home) serveOn(ctx context.Context, listener net.Listener, options serveOptions) error {
	held := &heldListener{Listener: listener}
	for current := h; ; {
		next, err := current.serve(ctx, held, options)
		if next == nil {
			if current != h {
				err = errors.Join(err, current.close())
			}
			return err
		}
		current.closeModel(ctx)
		h.session.note("The collection was upgraded: model %s serves now, in the place of %s", next.embedder.Model().Short(), current.embedder.Model().Short())
		if current, options.announce = next, false; !held.again() {
			return errors.Join(errors.New("the listener can't be used again after an upgrade; start the server anew"), current.close())
		}
	}
}

// closeModel closes the model and its index, and leaves the collection open.
func (h *home) closeModel(ctx context.Context) {
	for i := len(h.closers) - 1; i >= h.modelClosers; i-- {
		if err := h.closers[i](); err != nil {
			h.session.logger.WarnContext(ctx, "the former model could not be closed", "error", err)
		}
	}
	h.closers = h.closers[:h.modelClosers]
}

// upgradeLook is how often a server looks for an upgrade that was begun.
const upgradeLook = time.Second

// watchUpgrade waits for an upgrade of this model, works at it where no other
// process does, and gives the successor when it is to serve.
func (h *home) watchUpgrade(ctx context.Context, work bool) (next *home, err error) {
	defer func() {
		if err != nil && next != nil {
			err, next = errors.Join(err, next.close()), nil
		}
	}()
	tick := time.NewTicker(upgradeLook)
	defer tick.Stop()
	for seen := uint64(0); ; {
		select {
		case <-ctx.Done():
			return next, ctx.Err()
		case <-tick.C:
		}
		begun, err := h.begunUpgrade(ctx)
		if err == nil && begun != nil && next == nil {
			settings, e := h.settingsOf(ctx, begun.To)
			if err = e; err == nil {
				next, err = h.openNext(ctx, settings)
			}
		}
		switch {
		case err != nil || begun == nil || next == nil:
		case !begun.FinishedAt.IsZero():
			if err = next.loadIndex(ctx); err == nil {
				return next, nil
			}
		case work:
			_, err = h.upgradeTo(ctx, next, nil)
		}
		if err != nil && ctx.Err() == nil {
			last, lastErr := h.catalog.LastChange(ctx)
			if lastErr != nil || last != seen { // told again when something has changed
				h.session.logger.ErrorContext(ctx, "the upgrade of the collection failed; trying on", "error", err)
			}
			seen = last
		}
	}
}

// heldListener stays open when a server that is done closes it.
type heldListener struct{ net.Listener }

// Close wakes whoever waits in Accept.
func (l *heldListener) Close() error {
	if d, ok := l.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(time.Unix(1, 0))
	}
	return l.Listener.Close()
}

// again lets the next server accept.
func (l *heldListener) again() bool {
	d, ok := l.Listener.(interface{ SetDeadline(time.Time) error })
	return ok && d.SetDeadline(time.Time{}) == nil
}
