// Package job is the one life of a piece of long work, whatever it is: it
// begins with a row in the catalog and a lease, tells how far it is, stops when
// somebody asks for it, and ends with a result or a reason.
//
// A job lives exactly as long as its lease. What it tells of its progress says
// nothing about whether it lives: a crawl that waits for a site's Retry-After
// and a training that computes for an hour are silent and well. A process that
// dies, however it dies, gives its leases back, and whoever begins or lists
// jobs next ends what it left as failed.
//
// Any process may ask a job of any other to stop, and sees how far it is: both
// go through the catalog.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Kind is what a job does.
type Kind string

// The kinds.
const (
	Crawl   Kind = "crawl"
	Import  Kind = "import"
	Embed   Kind = "embed"
	Train   Kind = "train"
	Reindex Kind = "reindex"
	Verify  Kind = "verify"
	Backup  Kind = "backup"

	FineTune Kind = "finetune"
	Arena    Kind = "arena"
	Map      Kind = "map"
	Copies   Kind = "copies"
)

var (
	// ErrCancelled is the cause of a job's context after somebody asked it to
	// stop.
	ErrCancelled = errors.New("it was asked to stop; what was done is kept")

	// ErrLeaseLost is the cause of a job's context after its lease was lost:
	// others take it for dead.
	ErrLeaseLost = errors.New("its lease was lost: the folder of leases was changed while it ran")
)

// progressEvery is how often at most progress is written: each is a durable
// commit.
const progressEvery = 500 * time.Millisecond

// Catalog is what jobs need of one.
type Catalog interface {
	catalog.Runs
	Wait(ctx context.Context, beyond uint64) (uint64, error)
	LastChange(ctx context.Context) (uint64, error)
}

// Job is one piece of long work that has begun. Do or End must be called, once.
type Job struct {
	Run catalog.Run

	catalog Catalog
	lease   catalog.Lease

	mu          sync.Mutex
	done, total int64
	told        json.RawMessage // not written yet; nil if it is, or there is none
	written     time.Time       // when progress was last written
	unwritten   bool
	lines       []catalog.RunLine // of the log, not written yet
	soon        *time.Timer       // writes them; nil if it is not set
	toldHowFar  time.Time         // when the log last said it
	ended       bool
}

// Begin records that a job begins. What dead processes left is ended first. The
// profile may be empty.
func Begin(ctx context.Context, c Catalog, kind Kind, p palate.Profile) (*Job, error) {
	if _, err := c.EndDeadRuns(ctx); err != nil {
		return nil, err
	}
	run, lease, err := c.StartRun(ctx, string(kind), p)
	if err != nil {
		return nil, err
	}
	return &Job{Run: run, catalog: c, lease: lease, toldHowFar: run.StartedAt}, nil
}

// Do is Begin and Job.Do in one, for who needs no number before the end.
func Do[Result any](ctx context.Context, c Catalog, kind Kind, p palate.Profile, work func(context.Context, *Job) (Result, error)) (Result, error) {
	j, err := Begin(ctx, c, kind, p)
	if err != nil {
		var none Result
		return none, err
	}
	var result Result
	err = j.Do(ctx, func(ctx context.Context) (any, error) {
		var err error
		result, err = work(ctx, j)
		return result, err
	})
	return result, err
}

// Progress tells how far the job is; total 0 is not known. It is written now
// and then, and at the end; that it can't be is no reason to stop the work.
func (j *Job) Progress(ctx context.Context, done, total int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if done == j.done && total == j.total {
		return
	}
	j.at(ctx, done, total, false)
}

// Tell is Progress with what there is to say beside it, which is written as JSON
// and kept after the end. With now it is written at once, for what many steps may
// follow on that say nothing. What is no JSON is left out.
func (j *Job) Tell(ctx context.Context, done, total int64, told any, now bool) {
	text, err := json.Marshal(told)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		j.told = text
	}
	j.at(ctx, done, total, now)
}

// at is for who holds mu.
func (j *Job) at(ctx context.Context, done, total int64, write bool) {
	j.done, j.total, j.unwritten = done, total, true
	now := time.Now()
	j.sayHowFar(now)
	if write || now.Sub(j.written) >= progressEvery {
		j.written = now
		j.write(ctx)
	}
}

// write is for who holds mu.
func (j *Job) write(ctx context.Context) {
	j.writeLines(ctx)
	if j.unwritten && j.catalog.UpdateRun(ctx, j.Run.ID, j.done, j.total, j.told) == nil {
		j.unwritten, j.told = false, nil
	}
}

// Do does the work and ends the job as it went: succeeded, failed, or cancelled
// if ctx was done or somebody asked for it. The context of work is done then
// too, with ErrCancelled or ErrLeaseLost as its cause. The result is written as
// JSON; one that comes with an error tells how far the work came. What it says of
// itself, by a method Words, goes into the log. A job that was asked to stop
// before it began does nothing.
func (j *Job) Do(ctx context.Context, work func(context.Context) (result any, err error)) error {
	working, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watch, stop := context.WithCancel(working)
	asked := j.asked(ctx)
	if asked {
		cancel(ErrCancelled)
	}
	watching.Go(func() { j.watch(watch, cancel) })
	watching.Go(func() { j.watchLease(watch, cancel) })
	var result any
	err := context.Cause(working)
	if err == nil {
		j.Say(ctx, "%s", whoWorks())
		result, err = work(working)
		j.sayAll(ctx, result)
	}
	stop()
	watching.Wait()
	cause := context.Cause(working)
	cancel(nil)
	if err != nil && cause != nil && ctx.Err() == nil && !errors.Is(err, cause) {
		if errors.Is(err, context.Canceled) { // which says no more than where it was
			err = cause
		} else {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
	}
	return errors.Join(err, j.End(ctx, stateOf(err, cause), result, err))
}

func stateOf(err, cause error) catalog.RunState {
	switch {
	case err == nil:
		return catalog.Succeeded
	case cause == nil, errors.Is(cause, ErrLeaseLost):
		return catalog.Failed
	}
	return catalog.Cancelled
}

// watchLease cancels the work when the lease is lost.
func (j *Job) watchLease(ctx context.Context, cancel context.CancelCauseFunc) {
	select {
	case <-j.lease.Lost():
		cancel(ErrLeaseLost)
	case <-ctx.Done():
	}
}

// watch cancels the work when somebody asks for it.
func (j *Job) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	var seen uint64
	for ctx.Err() == nil {
		last, err := j.catalog.Wait(ctx, seen)
		if err == nil {
			seen = last
			if j.asked(ctx) {
				j.Say(ctx, "Somebody asked it to stop.")
				cancel(ErrCancelled)
				return
			}
		}
		select { // a look at most so often, however much the work writes
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// asked reports whether somebody wants the job to stop.
func (j *Job) asked(ctx context.Context) bool {
	run, err := j.catalog.RunByID(ctx, j.Run.ID)
	return err == nil && (run.CancelAsked || run.State != catalog.Running)
}

// End ends a job that Do is not called for, even when ctx is done: as
// succeeded with its result, or as failed or cancelled for a reason.
func (j *Job) End(ctx context.Context, state catalog.RunState, result any, reason error) error {
	ctx = context.WithoutCancel(ctx)
	message := ""
	if reason != nil {
		message = palate.Message(reason) // people read it
	}
	j.note(ctx, state == catalog.Failed, lastWords(state, message))
	j.mu.Lock()
	if j.soon != nil {
		j.soon.Stop()
	}
	j.write(ctx)
	j.ended = true
	j.mu.Unlock()
	var written json.RawMessage
	var err error
	if result != nil {
		if written, err = json.Marshal(result); err != nil {
			written = nil
		}
	}
	return errors.Join(err, j.catalog.FinishRun(ctx, j.Run.ID, state, written, message), j.lease.Release())
}

// lastWords are the last line of a job's log.
func lastWords(state catalog.RunState, message string) string {
	switch {
	case state == catalog.Succeeded:
		return "It is done."
	case state == catalog.Cancelled:
		return "It ended before it was done: " + message
	}
	return "It failed: " + message
}

// deadLook is how long at most who waits for another's work does not look whether
// that one is alive.
const deadLook = 2 * time.Second

// NextChange waits for a change, but not for longer than it takes until whoever
// waits for a job of another process should look whether it is alive: EndDeadRuns.
func NextChange(ctx context.Context, c Catalog, beyond uint64) error {
	short, cancel := context.WithTimeout(ctx, deadLook)
	defer cancel()
	_, err := c.Wait(short, beyond)
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		return nil
	}
	return err
}
