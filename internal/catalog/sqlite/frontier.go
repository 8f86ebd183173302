package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// frontierTask is a task of the database that has not ended.
type frontierTask struct {
	id, crawl, round int64
	carried          carried
}

// BeginCrawl implements crawler.Frontier.
func (c *Catalog) BeginCrawl(ctx context.Context, crawl string, seeds []crawler.Task) (crawler.Progress, error) {
	if err := errors.Join(checkName("crawl", crawl), checkTasks(seeds)); err != nil {
		return crawler.Progress{}, c.translate(ctx, "begin crawl", err)
	}
	var progress crawler.Progress
	err := c.write(ctx, "begin crawl", func(ctx context.Context, tx *sql.Tx) error {
		no, err := scanOne[int64](tx.QueryRowContext(ctx, `
			INSERT INTO crawls (name, round, begun_at) VALUES (?, 0, ?)
			ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING no`, crawl, nowNS()))
		if err != nil {
			return err
		}
		resumed, err := scanOne[bool](tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM tasks WHERE crawl = ? AND state = 'pending')", no))
		if err != nil {
			return err
		}
		if !resumed {
			if err := newRound(ctx, tx, no, seeds); err != nil {
				return err
			}
		}
		progress, err = crawlProgress(ctx, tx, crawl)
		progress.Resumed = resumed
		return err
	})
	if err != nil {
		return crawler.Progress{}, err
	}
	c.claims.begin(crawl, !progress.Resumed)
	return progress, nil
}

// newRound forgets the tasks of the round before and adds the seeds.
func newRound(ctx context.Context, tx *sql.Tx, crawl int64, seeds []crawler.Task) error {
	for _, query := range []string{
		"DELETE FROM tasks WHERE crawl = ?",
		"DELETE FROM tallies WHERE crawl = ?",
	} {
		if _, err := tx.ExecContext(ctx, query, crawl); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE crawls SET round = round + 1, begun_at = ? WHERE no = ?", nowNS(), crawl); err != nil {
		return err
	}
	_, err := addTasks(ctx, tx, crawl, seeds)
	return err
}

func checkTasks(tasks []crawler.Task) error {
	for i, t := range tasks {
		var err error
		if t.Kind != crawler.Page && t.Kind != crawler.API && t.Kind != crawler.Image {
			err = fmt.Errorf("kind %q is none of page, api, image: %w", t.Kind, palate.ErrInvalid)
		}
		if err := errors.Join(err, checkName("URL", t.URL), checkTime("not before", t.NotBefore)); err != nil {
			return fmt.Errorf("task %d: %w", i, err)
		}
	}
	return nil
}

// taskKey tells the tasks of a round apart.
func taskKey(t crawler.Task) []byte {
	sum := sha256.Sum256([]byte(string(t.Kind) + "\x00" + t.Key()))
	return sum[:16]
}

// addTasks adds what the round has not seen and says how much that was.
func addTasks(ctx context.Context, tx *sql.Tx, crawl int64, tasks []crawler.Task) (added int, err error) {
	inserted := 0
	for _, t := range tasks {
		source, err := json.Marshal(t.Source)
		if err != nil {
			return 0, fmt.Errorf("task %s: source: %w (%w)", t.URL, palate.ErrInvalid, err)
		}
		alternatives, err := carriedBy(t).text()
		if err != nil {
			return 0, err
		}
		rank := 1
		if t.Kind == crawler.Image {
			rank = 0
		}
		result, err := tx.ExecContext(ctx, `
			INSERT INTO tasks (crawl, key, kind, rank, url, refused, referer, depth, attempts, not_before, state, reason, detail, source, alternatives)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', '', '', ?, ?) ON CONFLICT (crawl, key) DO NOTHING`,
			crawl, taskKey(t), string(t.Kind), rank, t.URL, mend(t.Refused), mend(t.Referer), t.Depth, t.Attempts, stamp(t.NotBefore), string(source), alternatives)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		if n > 0 {
			inserted++
			continue
		}
		further, err := foundAgain(ctx, tx, crawl, t)
		if err != nil {
			return 0, err
		}
		added += further
	}
	if inserted == 0 {
		return added, nil
	}
	return added + inserted, tally(ctx, tx, crawl, crawler.Outcome{State: crawler.Pending}, inserted)
}

// tally counts tasks into a state of the present round, or out of it.
func tally(ctx context.Context, tx *sql.Tx, crawl int64, o crawler.Outcome, tasks int) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO tallies (crawl, state, reason, tasks) VALUES (?, ?, ?, ?)
		ON CONFLICT (crawl, state, reason) DO UPDATE SET tasks = tasks + excluded.tasks`, crawl, string(o.State), o.Reason, tasks)
	return err
}

// openTask finds a task that has not ended. ErrNotFound if there is none of
// that number in the crawl, ErrConflict if it has ended.
func openTask(ctx context.Context, tx *sql.Tx, crawl string, id int64) (frontierTask, error) {
	t := frontierTask{id: id}
	var state crawler.State
	var text string
	err := tx.QueryRowContext(ctx, "SELECT c.no, c.round, t.state, coalesce(t.alternatives, '') FROM tasks t JOIN crawls c ON c.no = t.crawl WHERE t.id = ? AND c.name = ?", id, crawl).Scan(&t.crawl, &t.round, &state, &text)
	if err != nil {
		return frontierTask{}, orNotFound(err, "task %d of crawl %q", id, crawl)
	}
	if t.carried, err = readCarried(text); err != nil {
		return frontierTask{}, fmt.Errorf("task %d: %w", id, err)
	}
	if state != crawler.Pending {
		return frontierTask{}, fmt.Errorf("task %d of crawl %q has ended as %s: %w", id, crawl, state, palate.ErrConflict)
	}
	return t, nil
}

// endTask records an outcome and drops what only a pending task needs.
func endTask(ctx context.Context, tx *sql.Tx, t frontierTask, o crawler.Outcome) error {
	o.Reason = mend(o.Reason)
	left, err := carried{Shown: o.Shown, For: t.carried.For, Frame: t.carried.Frame, Gave: o.Gave}.text()
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE tasks SET state = ?, reason = ?, detail = ?, source = NULL, alternatives = ?, run = NULL WHERE id = ?",
		string(o.State), o.Reason, mend(o.Detail), left, t.id); err != nil {
		return err
	}
	if err := tally(ctx, tx, t.crawl, crawler.Outcome{State: crawler.Pending}, -1); err != nil {
		return err
	}
	return tally(ctx, tx, t.crawl, o, 1)
}

// FinishTask implements crawler.Frontier. A task that has ended is
// ErrConflict, a loss without a reason ErrInvalid.
func (c *Catalog) FinishTask(ctx context.Context, crawl string, task crawler.Task, outcome crawler.Outcome, found []crawler.Task) (added int, err error) {
	if err := errors.Join(checkOutcome(outcome), checkTasks(found)); err != nil {
		return 0, c.translate(ctx, "finish task", err)
	}
	err = c.write(ctx, "finish task", func(ctx context.Context, tx *sql.Tx) error {
		t, err := openTask(ctx, tx, crawl, task.ID)
		if err != nil {
			return err
		}
		if err := endTask(ctx, tx, t, outcome); err != nil {
			return err
		}
		if added, err = addTasks(ctx, tx, t.crawl, found); err != nil {
			return err
		}
		// Leads that came while the page was read may mean what it found.
		late := t.carried.Leads
		if len(late) <= len(task.Leads) {
			return nil
		}
		self := crawler.Task{Kind: task.Kind, URL: task.URL, Leads: late[len(task.Leads):]}
		more, err := foundAgain(ctx, tx, t.crawl, self)
		added += more
		return err
	})
	if err != nil {
		return 0, err
	}
	c.claims.release(crawl, task.ID)
	return added, nil
}

func checkOutcome(o crawler.Outcome) error {
	switch o.State {
	case crawler.Visited, crawler.Kept, crawler.Known:
		return nil
	case crawler.Lost:
		if o.Reason == "" {
			return fmt.Errorf("a loss needs a reason: %w", palate.ErrInvalid)
		}
		return nil
	}
	return fmt.Errorf("state %q does not end a task: %w", o.State, palate.ErrInvalid)
}
