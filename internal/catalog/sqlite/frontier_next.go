package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/palate-art/palate/crawler"
)

// claimBook remembers which tasks this process works on for who is no run, see
// SharedFrontier. A claim is not in the database, so it can't outlive the process.
type claimBook struct {
	mu     sync.Mutex
	claims map[string]map[int64]bool // by crawl
	fresh  map[string]bool           // crawls whose round began here
}

func (b *claimBook) begin(crawl string, fresh bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.claims == nil {
		b.claims, b.fresh = map[string]map[int64]bool{}, map[string]bool{}
	}
	b.claims[crawl] = map[int64]bool{}
	b.fresh[crawl] = fresh
}

func (b *claimBook) release(crawl string, id int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.claims[crawl], id)
}

// NextTasks implements crawler.Frontier. All pictures that are due come
// before all pages that are due, so that a frontier stays small.
func (c *Catalog) NextTasks(ctx context.Context, crawl string, limit int) (tasks []crawler.Task, wait time.Duration, err error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, 0, c.translate(ctx, "next tasks", err)
	}
	// Held while reading: a task that ends meanwhile keeps its claim until
	// this snapshot, in which it is pending, has been used.
	c.claims.mu.Lock()
	defer c.claims.mu.Unlock()
	claimed := c.claims.claims[crawl]
	err = c.read(ctx, "next tasks", func(ctx context.Context, tx *sql.Tx) error {
		no, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT no FROM crawls WHERE name = ?", crawl))
		if err != nil {
			return orNotFound(err, "crawl %q", crawl)
		}
		now := time.Now()
		if tasks, err = dueTasks(ctx, tx, no, now, limit, claimed); err != nil || len(tasks) > 0 {
			return err
		}
		wait, err = nextDue(ctx, tx, no, now, claimed)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if claimed == nil {
		// Nobody began this crawl here; claims are kept all the same.
		claimed = map[int64]bool{}
		if c.claims.claims == nil {
			c.claims.claims, c.claims.fresh = map[string]map[int64]bool{}, map[string]bool{}
		}
		c.claims.claims[crawl] = claimed
	}
	for _, t := range tasks {
		claimed[t.ID] = true
	}
	return tasks, wait, nil
}

// dueTasks merges the tasks that never waited with those whose time has come;
// each query reads one partial index from its beginning.
func dueTasks(ctx context.Context, tx *sql.Tx, crawl int64, now time.Time, limit int, claimed map[int64]bool) ([]crawler.Task, error) {
	const columns = "SELECT id, kind, url, refused, referer, depth, attempts, not_before, source, coalesce(alternatives, '') FROM tasks WHERE crawl = ? AND state = 'pending' AND run IS NULL AND "
	var due []crawler.Task
	for _, query := range []struct {
		text string
		args []any
	}{
		{columns + "not_before = 0 ORDER BY rank, id LIMIT ?", []any{crawl, limit + len(claimed)}},
		{columns + "not_before <> 0 AND not_before <= ? ORDER BY rank, id LIMIT ?", []any{crawl, now.UnixNano(), limit + len(claimed)}},
	} {
		found, err := collect(from(tx.QueryContext(ctx, query.text, query.args...)), scanTask)
		if err != nil {
			return nil, err
		}
		due = append(due, found...)
	}
	due = slices.DeleteFunc(due, func(t crawler.Task) bool { return claimed[t.ID] })
	slices.SortFunc(due, func(a, b crawler.Task) int {
		if aImage, bImage := a.Kind == crawler.Image, b.Kind == crawler.Image; aImage != bImage {
			if aImage {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return due[:min(limit, len(due))], nil
}

func scanTask(rows *sql.Rows) (t crawler.Task, err error) {
	var notBefore int64
	var source, alternatives string
	if err := rows.Scan(&t.ID, &t.Kind, &t.URL, &t.Refused, &t.Referer, &t.Depth, &t.Attempts, &notBefore, &source, &alternatives); err != nil {
		return t, err
	}
	t.NotBefore = unstamp(notBefore)
	if err := json.Unmarshal([]byte(source), &t.Source); err != nil {
		return t, fmt.Errorf("task %d: source: %w", t.ID, err)
	}
	c, err := readCarried(alternatives)
	if err != nil {
		return t, fmt.Errorf("task %d: %w", t.ID, err)
	}
	c.giveTo(&t)
	return t, nil
}

// nextDue says how long it is until a task that nobody has claimed is due; 0
// if none will be.
func nextDue(ctx context.Context, tx *sql.Tx, crawl int64, now time.Time, claimed map[int64]bool) (time.Duration, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, not_before FROM tasks WHERE crawl = ? AND state = 'pending' AND not_before <> 0 AND run IS NULL ORDER BY not_before LIMIT ?", crawl, len(claimed)+1)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, notBefore int64
		if err := rows.Scan(&id, &notBefore); err != nil {
			return 0, err
		}
		if !claimed[id] {
			return max(1, time.Unix(0, notBefore).Sub(now)), nil
		}
	}
	return 0, rows.Err()
}

// PostponeTask implements crawler.Frontier.
func (c *Catalog) PostponeTask(ctx context.Context, crawl string, task crawler.Task, notBefore time.Time) error {
	if err := checkTime("not before", notBefore); err != nil {
		return c.translate(ctx, "postpone task", err)
	}
	err := c.write(ctx, "postpone task", func(ctx context.Context, tx *sql.Tx) error {
		t, err := openTask(ctx, tx, crawl, task.ID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE tasks SET attempts = ?, not_before = ?, run = NULL WHERE id = ?", task.Attempts, stamp(notBefore), t.id)
		return err
	})
	if err != nil {
		return err
	}
	c.claims.release(crawl, task.ID)
	return nil
}

// CrawlProgress implements crawler.Frontier. Of a crawl that was not begun
// here, the round was begun by an earlier run.
func (c *Catalog) CrawlProgress(ctx context.Context, crawl string) (crawler.Progress, error) {
	var progress crawler.Progress
	err := c.read(ctx, "read crawl progress", func(ctx context.Context, tx *sql.Tx) (err error) {
		progress, err = crawlProgress(ctx, tx, crawl)
		return err
	})
	if err != nil {
		return crawler.Progress{}, err
	}
	c.claims.mu.Lock()
	defer c.claims.mu.Unlock()
	progress.Resumed = !c.claims.fresh[crawl]
	return progress, nil
}

func crawlProgress(ctx context.Context, tx *sql.Tx, crawl string) (crawler.Progress, error) {
	p := crawler.Progress{Lost: map[string]int{}}
	var no int64
	if err := tx.QueryRowContext(ctx, "SELECT no, round FROM crawls WHERE name = ?", crawl).Scan(&no, &p.Round); err != nil {
		return p, orNotFound(err, "crawl %q", crawl)
	}
	added, err := addedBy(ctx, tx, no)
	if err != nil {
		return p, err
	}
	p.Added = added
	rows, err := tx.QueryContext(ctx, "SELECT state, reason, tasks FROM tallies WHERE crawl = ? AND tasks <> 0", no)
	if err != nil {
		return p, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var state crawler.State
		var reason string
		var tasks int
		if err := rows.Scan(&state, &reason, &tasks); err != nil {
			return p, err
		}
		switch state {
		case crawler.Pending:
			p.Pending += tasks
		case crawler.Visited:
			p.Pages += tasks
		case crawler.Kept:
			p.Kept += tasks
		case crawler.Known:
			p.Known += tasks
		case crawler.Lost:
			p.Lost[reason] += tasks
		}
	}
	return p, rows.Err()
}

// addedBy counts the pictures that any round of a crawl brought in.
func addedBy(ctx context.Context, tx *sql.Tx, crawl int64) (int, error) {
	return scanOne[int](tx.QueryRowContext(ctx, "SELECT count(*) FROM images WHERE crawl = ?", crawl))
}
