package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// frontierTask is a task of the database that has not ended.
type frontierTask struct {
	id, crawl, round int64
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
	for _, t := range tasks {
		source, err := json.Marshal(t.Source)
		if err != nil {
			return 0, fmt.Errorf("task %s: source: %w (%w)", t.URL, palate.ErrInvalid, err)
		}
		alternatives, err := writeAlternatives(t)
		if err != nil {
			return 0, err
		}
		rank := 1
		if t.Kind == crawler.Image {
			rank = 0
		}
		result, err := tx.ExecContext(ctx, `
			INSERT INTO tasks (crawl, key, kind, rank, url, referer, depth, attempts, not_before, state, reason, detail, source, alternatives)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', '', '', ?, ?) ON CONFLICT (crawl, key) DO NOTHING`,
			crawl, taskKey(t), string(t.Kind), rank, t.URL, mend(t.Referer), t.Depth, t.Attempts, stamp(t.NotBefore), string(source), alternatives)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		added += int(n)
	}
	if added == 0 {
		return 0, nil
	}
	return added, tally(ctx, tx, crawl, crawler.Outcome{State: crawler.Pending}, added)
}

// writeAlternatives gives the column of further addresses: a list of a
// picture's, or an object with the leads of a page. Null if there are none.
func writeAlternatives(t crawler.Task) (any, error) {
	var value any
	switch {
	case len(t.Leads) > 0:
		value = pageLeads{Leads: t.Leads}
	case len(t.Alternatives) > 0:
		value = t.Alternatives
	default:
		return nil, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return string(text), nil
}

type pageLeads struct {
	Leads []crawler.Lead `json:"leads"`
}

// readAlternatives reads what writeAlternatives wrote. A page's list of
// addresses, as it was written before there were leads, is one lead.
func readAlternatives(text string, t *crawler.Task) error {
	if strings.HasPrefix(text, "{") {
		var p pageLeads
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return err
		}
		t.Leads = p.Leads
		return nil
	}
	if err := json.Unmarshal([]byte(text), &t.Alternatives); err != nil {
		return err
	}
	if t.Kind == crawler.Page && len(t.Alternatives) > 0 {
		t.Leads = []crawler.Lead{{Addresses: t.Alternatives, Around: true, Caption: t.Source.Title, Source: t.Source, Depth: t.Depth}}
		t.Alternatives = nil
	}
	return nil
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
	err := tx.QueryRowContext(ctx, "SELECT c.no, c.round, t.state FROM tasks t JOIN crawls c ON c.no = t.crawl WHERE t.id = ? AND c.name = ?", id, crawl).Scan(&t.crawl, &t.round, &state)
	if err != nil {
		return frontierTask{}, orNotFound(err, "task %d of crawl %q", id, crawl)
	}
	if state != crawler.Pending {
		return frontierTask{}, fmt.Errorf("task %d of crawl %q has ended as %s: %w", id, crawl, state, palate.ErrConflict)
	}
	return t, nil
}

// endTask records an outcome and drops what only a pending task needs.
func endTask(ctx context.Context, tx *sql.Tx, t frontierTask, o crawler.Outcome) error {
	o.Reason = mend(o.Reason)
	if _, err := tx.ExecContext(ctx, "UPDATE tasks SET state = ?, reason = ?, detail = ?, source = NULL, alternatives = NULL WHERE id = ?",
		string(o.State), o.Reason, mend(o.Detail), t.id); err != nil {
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
		added, err = addTasks(ctx, tx, t.crawl, found)
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
