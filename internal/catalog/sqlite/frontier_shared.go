package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

// sharedLook is how soon a run looks again at a crawl of which others have
// claimed all that is due.
const sharedLook = 250 * time.Millisecond

// sharedFrontier is the frontier as one run sees it. A claim is the run's number
// in the task, so that the end of the run, dead or alive, gives it back.
type sharedFrontier struct {
	*Catalog
	run int64
}

// SharedFrontier implements catalog.Crawls.
func (c *Catalog) SharedFrontier(run int64) crawler.Frontier { return sharedFrontier{c, run} }

// NextTasks implements crawler.Frontier. While other runs work on the crawl and
// nothing is due, it asks to be called again soon: they may find more, or die.
func (f sharedFrontier) NextTasks(ctx context.Context, crawl string, limit int) (tasks []crawler.Task, wait time.Duration, err error) {
	const what = "claim tasks"
	if err := checkLimit(limit, 0); err != nil {
		return nil, 0, f.translate(ctx, what, err)
	}
	due, others := false, false
	err = f.read(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		no, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT no FROM crawls WHERE name = ?", crawl))
		if err != nil {
			return orNotFound(err, "crawl %q", crawl)
		}
		now := time.Now()
		first, err := dueTasks(ctx, tx, no, now, 1, nil)
		if due = len(first) > 0; err != nil || due {
			return err
		}
		if wait, err = nextDue(ctx, tx, no, now, nil); err != nil {
			return err
		}
		others, err = scanOne[bool](tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM tasks WHERE run IS NOT NULL AND run <> ? AND crawl = ?)", f.run, no))
		return err
	})
	switch {
	case err != nil:
		return nil, 0, err
	case due:
		tasks, err = f.claim(ctx, what, crawl, limit)
		if err == nil && len(tasks) == 0 { // others were faster
			wait = sharedLook
		}
		return tasks, wait, err
	case !others:
		return nil, wait, nil
	}
	if _, err := f.EndDeadRuns(ctx); err != nil {
		return nil, 0, err
	}
	if wait <= 0 || wait > sharedLook {
		wait = sharedLook
	}
	return nil, wait, nil
}

// claim takes what is due and nobody has.
func (f sharedFrontier) claim(ctx context.Context, what, crawl string, limit int) (tasks []crawler.Task, err error) {
	err = f.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		state, err := scanOne[catalog.RunState](tx.QueryRowContext(ctx, "SELECT state FROM runs WHERE id = ?", f.run))
		if err != nil {
			return orNotFound(err, "job %d", f.run)
		}
		if state != catalog.Running {
			return fmt.Errorf("job %d has %s already: %w", f.run, state, palate.ErrConflict)
		}
		no, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT no FROM crawls WHERE name = ?", crawl))
		if err != nil {
			return orNotFound(err, "crawl %q", crawl)
		}
		if tasks, err = dueTasks(ctx, tx, no, time.Now(), limit, nil); err != nil {
			return err
		}
		for _, t := range tasks {
			if _, err := tx.ExecContext(ctx, "UPDATE tasks SET run = ? WHERE id = ?", f.run, t.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return tasks, nil
}
