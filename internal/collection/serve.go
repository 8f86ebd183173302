package collection

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// followAgain is how long after a failure the index tries to follow again.
	followAgain = time.Second

	// embedAgain is how long after a failure the server tries to embed again.
	embedAgain = 5 * time.Second
)

// Answer builds what answers requests on a model, and gives the function that
// runs it until its context is done.
type Answer func(*Model) (run func(context.Context, net.Listener) error, err error)

// ServeOptions say what a server does beside answering.
type ServeOptions struct {
	Answer Answer
	// Embed embeds what comes in, works at upgrades that were begun, and looks at
	// new pictures for copies, where somebody has looked for copies before.
	Embed bool
	// CopiesEvery is how long they wait for that at least; 0 is five minutes.
	CopiesEvery time.Duration
	// Ready, if not nil, is called once before the first request is taken.
	Ready func()
	// Version of the program, which crawls of subscriptions introduce.
	Version string
	// Clock is what subscriptions go by; nil is the SystemClock.
	Clock Clock
}

// errSwitched ends the serving of one model where its successor takes over.
var errSwitched = errors.New("another model serves from now on")

// Serve answers on the listener until ctx is done, with one model after another
// where the collection is upgraded; it closes those that it opened, and m where
// another took its place. Connections that come between two wait.
func (m *Model) Serve(ctx context.Context, listener net.Listener, options ServeOptions) error {
	if options.Clock == nil {
		options.Clock = SystemClock{}
	}
	held := &heldListener{Listener: listener}
	for current := m; ; {
		next, err := current.serve(ctx, held, options)
		if next == nil {
			if current != m {
				err = errors.Join(err, current.Close())
			}
			return err
		}
		if err := current.Close(); err != nil {
			m.logger.WarnContext(ctx, "the former model could not be closed", "error", err)
		}
		note(m.tell, "The collection was upgraded: model %s serves now, in the place of %s", next.Embedder.Model().Short(), current.Embedder.Model().Short())
		if current, options.Ready = next, nil; !held.again() {
			return errors.Join(errors.New("the listener can't be used again after an upgrade; start the server anew"), current.Close())
		}
	}
}

// serve answers on the listener, and meanwhile follows the catalog, embeds
// what comes in, looks at it for copies and trains after new ratings, until ctx
// is done, or until another model is to serve, which it then returns.
func (m *Model) serve(ctx context.Context, listener net.Listener, options ServeOptions) (next *Model, err error) {
	answer, err := options.Answer(m)
	if err != nil {
		return nil, err
	}
	writes := m.ReadOnly() == nil
	if writes {
		if _, err := m.Catalog.EndDeadRuns(ctx); err != nil {
			return nil, err
		}
		if err := m.LetCrawlsGoOn(ctx); err != nil {
			return nil, err
		}
	}
	if err := m.loadIndex(ctx); err != nil {
		return nil, err
	}
	if options.Ready != nil {
		options.Ready()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return answer(ctx, listener) })
	m.followCatalog(ctx, group.Go)
	group.Go(func() error { return m.Tastes.Run(ctx) })
	group.Go(func() (err error) {
		if next, err = m.watchUpgrade(ctx, options.Embed && writes); err == nil {
			err = errSwitched
		}
		return err
	})
	if writes {
		group.Go(func() error { return m.keepTending(ctx) })
		group.Go(func() error { return m.keepNoting(ctx) })
		group.Go(func() error { return m.keepSubscribed(ctx, options.Version, options.Clock) })
		if options.Embed {
			group.Go(func() error { return m.keepEmbedding(ctx) })
			group.Go(func() error { return m.keepLookingForCopies(ctx, options.CopiesEvery) })
		}
	}
	switch err := group.Wait(); {
	case errors.Is(err, errSwitched):
		return next, nil
	case err != nil && !errors.Is(err, context.Canceled):
		return nil, err
	}
	return nil, nil
}

// keepEmbedding embeds whatever comes into the collection, together with other
// processes that are at it. A lasting error is
// logged once.
func (m *Model) keepEmbedding(ctx context.Context) error {
	pipeline, err := m.Embedder.Pipeline(ctx)
	if err != nil {
		return err
	}
	var failing complaint
	for {
		last, err := m.Catalog.LastChange(ctx)
		if err == nil {
			_, err = m.Pictures.EmbedPending(ctx, m.Embedder, pipeline, nil)
		}
		if err == nil {
			_, err = m.Catalog.Wait(ctx, last)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			if failing.over() {
				m.logger.WarnContext(ctx, "embedding goes on again")
			}
			continue
		}
		if failing.due(err, time.Now()) {
			m.logger.ErrorContext(ctx, "embedding failed; trying on", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(embedAgain):
		}
	}
}

// watchUpgrade waits for an upgrade of this model, works at it where no other
// process does, and gives the successor when it is to serve.
func (m *Model) watchUpgrade(ctx context.Context, work bool) (next *Model, err error) {
	defer func() {
		if err != nil && next != nil {
			err, next = errors.Join(err, next.Close()), nil
		}
	}()
	var failing complaint
	for {
		last, err := m.Catalog.LastChange(ctx)
		if err == nil {
			var serves bool
			if next, serves, err = m.followUpgrade(ctx, next, work); serves {
				return next, nil
			}
		}
		if err == nil {
			_, err = m.Catalog.Wait(ctx, last)
		}
		if ctx.Err() != nil {
			return next, ctx.Err()
		}
		if err == nil {
			continue
		}
		if failing.due(err, time.Now()) {
			m.logger.ErrorContext(ctx, "the upgrade of the collection failed; trying on", "error", err)
		}
		select {
		case <-ctx.Done():
			return next, ctx.Err()
		case <-time.After(embedAgain):
		}
	}
}

// followUpgrade looks at the upgrade of this model once, opens its successor if
// that isn't next already, works at the upgrade if it is to, and says whether
// the successor serves from now on.
func (m *Model) followUpgrade(ctx context.Context, next *Model, work bool) (_ *Model, serves bool, err error) {
	begun, err := m.begunUpgrade(ctx)
	if err != nil || begun == nil || begun.FinishedAt.IsZero() && m.passing.Load() {
		return next, false, err
	}
	if next != nil && next.Embedder.Model() != begun.To { // another has taken its place
		if err := next.Close(); err != nil {
			m.logger.WarnContext(ctx, "a model that is not to serve after all could not be closed", "error", err)
		}
		next = nil
	}
	if next == nil {
		settings, err := m.settingsOf(ctx, begun.To)
		if err != nil {
			return nil, false, err
		}
		if next, err = m.Beside(ctx, settings); err != nil || next == nil {
			return nil, false, err
		}
	}
	if begun.FinishedAt.IsZero() {
		if work {
			_, err = m.upgradeTo(ctx, next, m.embedTelling(""))
		}
		return next, false, err
	}
	err = next.loadIndex(ctx)
	return next, err == nil, err
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
