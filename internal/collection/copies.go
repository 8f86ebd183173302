package collection

import (
	"context"
	"errors"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/works"
)

const (
	// copiesEvery is how long new pictures wait at least until a server looks at
	// them for copies: a crawl brings some every second, and each look is a job.
	copiesEvery = 5 * time.Minute
	// copiesLater is how long no such job begins after somebody stopped one.
	copiesLater = time.Hour
)

// LookForCopies looks for pictures that show one work, as a job.
func (m *Model) LookForCopies(ctx context.Context) (works.Report, error) {
	if err := m.CatchUp(ctx); err != nil {
		return works.Report{}, err
	}
	defer m.tell.EndProgress()
	return job.Do(ctx, m.Catalog, job.Copies, "", func(ctx context.Context, j *job.Job) (works.Report, error) {
		return m.lookForCopies(ctx, progress(ctx, j, m.tell, "copies", "picture"))
	})
}

// CopiesAs implements starter.Steps.
func (m *Model) CopiesAs(ctx context.Context, j *job.Job) (works.Report, error) {
	return m.lookForCopies(ctx, func(done, total int64) { j.Progress(ctx, done, total) })
}

// lookForCopies waits for whoever is at it, as two would do the same work.
func (m *Model) lookForCopies(ctx context.Context, progress func(done, total int64)) (report works.Report, err error) {
	lease, err := m.copiesLease(ctx)
	for errors.Is(err, palate.ErrConflict) {
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-time.After(retryEvery):
		}
		lease, err = m.copiesLease(ctx)
	}
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, lease.Release()) }()
	return works.Look(ctx, m.copiesParts(progress))
}

func (m *Model) copiesLease(ctx context.Context) (catalog.Lease, error) {
	return m.Catalog.AcquireLease(ctx, "copies")
}

func (m *Model) copiesParts(progress func(done, total int64)) works.Parts {
	return works.Parts{Catalog: m.Catalog, Index: m.Index, Sketch: m.Pictures.Sketch, Progress: progress}
}

// keepLookingForCopies looks at what comes in, while a server runs, where
// somebody has looked for copies before; nobody else pays for it.
func (m *Model) keepLookingForCopies(ctx context.Context, every time.Duration) error {
	if every == 0 {
		every = copiesEvery
	}
	var failing complaint
	for {
		last, err := m.Catalog.LastChange(ctx)
		left, pause := false, every
		if err == nil {
			left, err = m.lookAtNewForCopies(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, job.ErrCancelled):
			pause = max(every, copiesLater)
		case err != nil:
			if failing.due(err, time.Now()) {
				m.logger.ErrorContext(ctx, "new pictures could not be looked at for copies; trying on", "error", err)
			}
		case !left:
			_, _ = m.Catalog.Wait(ctx, last) // an error comes again at the next look
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// lookAtNewForCopies looks once, as a job if there is what to look at. It reports
// whether something is left for the next time, for another process is at it or the
// index does not have it yet.
func (m *Model) lookAtNewForCopies(ctx context.Context) (left bool, err error) {
	counts, err := m.Catalog.CountCopies(ctx, works.Version)
	if err != nil || counts.LookedAt+counts.Former == 0 || counts.NotLookedAt == 0 {
		return false, err
	}
	waiting, ready, err := works.Waiting(ctx, m.copiesParts(nil))
	if err != nil || !ready {
		return waiting, err
	}
	lease, err := m.copiesLease(ctx)
	if errors.Is(err, palate.ErrConflict) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, lease.Release()) }()
	_, err = job.Do(ctx, m.Catalog, job.Copies, "", func(ctx context.Context, j *job.Job) (works.Report, error) {
		parts := m.copiesParts(func(done, total int64) { j.Progress(ctx, done, total) })
		parts.AtOnce = 1 // whoever waits for an answer of the server comes first
		return works.Look(ctx, parts)
	})
	return false, err
}
