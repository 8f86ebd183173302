package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// SetCrawlSettings implements catalog.Crawls.
func (c *Catalog) SetCrawlSettings(ctx context.Context, crawl, settings string) error {
	if err := checkName("crawl", crawl); err != nil {
		return c.translate(ctx, "keep crawl's settings", err)
	}
	return c.write(ctx, "keep crawl's settings", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO crawls (name, round, begun_at, settings) VALUES (?, 0, ?, ?)
			ON CONFLICT (name) DO UPDATE SET settings = excluded.settings`, crawl, nowNS(), settings)
		return err
	})
}

// ListCrawls implements catalog.Crawls.
func (c *Catalog) ListCrawls(ctx context.Context) ([]catalog.Crawl, error) {
	var out []catalog.Crawl
	err := c.read(ctx, "list crawls", func(ctx context.Context, tx *sql.Tx) error {
		var err error
		out, err = collect(from(tx.QueryContext(ctx, `
			SELECT name, begun_at, settings, coalesce((SELECT min(not_before) FROM tasks t WHERE t.crawl = c.no AND state = 'pending'), 0)
			FROM crawls c ORDER BY name`)), func(rows *sql.Rows) (catalog.Crawl, error) {
			var crawl catalog.Crawl
			var begun, due int64
			err := rows.Scan(&crawl.Name, &begun, &crawl.Settings, &due)
			crawl.BegunAt, crawl.Until = unstamp(begun), unstamp(due)
			return crawl, err
		})
		if err != nil {
			return err
		}
		for i := range out {
			if out[i].Progress, err = crawlProgress(ctx, tx, out[i].Name); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// CrawlLosses implements catalog.Crawls.
func (c *Catalog) CrawlLosses(ctx context.Context, crawl, reason string, after int64, limit int) ([]catalog.CrawlLoss, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "list losses", err)
	}
	var out []catalog.CrawlLoss
	err := c.read(ctx, "list losses", func(ctx context.Context, tx *sql.Tx) error {
		no, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT no FROM crawls WHERE name = ?", crawl))
		if err != nil {
			return orNotFound(err, "crawl %q", crawl)
		}
		out, err = collect(from(tx.QueryContext(ctx, `
			SELECT id, kind, url, reason, detail FROM tasks
			WHERE crawl = ? AND id > ? AND reason <> '' AND (? = '' OR reason = ?) ORDER BY id LIMIT ?`, no, after, reason, reason, limit)),
			func(rows *sql.Rows) (l catalog.CrawlLoss, err error) {
				return l, rows.Scan(&l.ID, &l.Kind, &l.URL, &l.Reason, &l.Detail)
			})
		return err
	})
	return out, err
}

// CrawlPictures implements catalog.Crawls.
func (c *Catalog) CrawlPictures(ctx context.Context, crawl string) (catalog.CrawlPictures, error) {
	var out catalog.CrawlPictures
	err := c.read(ctx, "count crawl's pictures", func(ctx context.Context, tx *sql.Tx) error {
		no, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT no FROM crawls WHERE name = ?", crawl))
		if err != nil {
			return orNotFound(err, "crawl %q", crawl)
		}
		if err := tx.QueryRowContext(ctx, `
			SELECT count(*), coalesce(sum(EXISTS (SELECT 1 FROM embeddings e WHERE e.image = i.no)), 0) FROM images i WHERE crawl = ?`, no).
			Scan(&out.Added, &out.Embedded); err != nil {
			return err
		}
		out.Unreadable, err = collect(from(tx.QueryContext(ctx, `
			SELECT i.id, coalesce((SELECT address FROM sources s WHERE s.image = i.no ORDER BY s.no LIMIT 1), ''), min(f.reason)
			FROM embedding_failures f JOIN images i ON i.no = f.image
			WHERE i.crawl = ? AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.image = i.no) GROUP BY i.no ORDER BY i.no`, no)),
			func(rows *sql.Rows) (u catalog.UnreadablePicture, err error) {
				var id []byte
				if err := rows.Scan(&id, &u.Address, &u.Reason); err != nil {
					return u, err
				}
				if len(id) != len(u.Image) {
					return u, fmt.Errorf("image id of %d bytes: %w", len(id), palate.ErrInvalid)
				}
				copy(u.Image[:], id)
				return u, nil
			})
		return err
	})
	return out, err
}

// ForgetCrawl implements catalog.Crawls.
func (c *Catalog) ForgetCrawl(ctx context.Context, crawl string) error {
	err := c.write(ctx, "forget crawl", func(ctx context.Context, tx *sql.Tx) error {
		no, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT no FROM crawls WHERE name = ?", crawl))
		if err != nil {
			return orNotFound(err, "crawl %q", crawl)
		}
		worked, err := scanOne[bool](tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM tasks WHERE crawl = ? AND run IS NOT NULL)", no))
		if err != nil {
			return err
		}
		if worked {
			return fmt.Errorf("crawl %q is at work: %w", crawl, palate.ErrConflict)
		}
		for _, query := range []string{
			"UPDATE images SET crawl = NULL, round = NULL WHERE crawl = ?",
			"DELETE FROM tasks WHERE crawl = ?",
			"DELETE FROM tallies WHERE crawl = ?",
			"DELETE FROM crawls WHERE no = ?",
		} {
			if _, err := tx.ExecContext(ctx, query, no); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.claims.begin(crawl, false)
	}
	return err
}

// PutSubscription implements catalog.Crawls.
func (c *Catalog) PutSubscription(ctx context.Context, s catalog.Subscription) error {
	err := errors.Join(checkName("subscription", s.Name), checkTime("next look", s.Next), checkTime("last look", s.Last))
	if s.Every < time.Minute {
		err = errors.Join(err, fmt.Errorf("a subscription every %v, want a minute at least: %w", s.Every, palate.ErrInvalid))
	}
	if err != nil {
		return c.translate(ctx, "put subscription", err)
	}
	return c.write(ctx, "put subscription", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO subscriptions (name, settings, every, paused, next_at, last_at, brought, failure, quiet) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, every = excluded.every, paused = excluded.paused, next_at = excluded.next_at,
				last_at = excluded.last_at, brought = excluded.brought, failure = excluded.failure, quiet = excluded.quiet`,
			s.Name, s.Settings, int64(s.Every), s.Paused, stamp(s.Next), stamp(s.Last), s.Brought, mend(s.Failure), s.Quiet)
		return err
	})
}

// ListSubscriptions implements catalog.Crawls.
func (c *Catalog) ListSubscriptions(ctx context.Context) ([]catalog.Subscription, error) {
	var out []catalog.Subscription
	err := c.read(ctx, "list subscriptions", func(ctx context.Context, tx *sql.Tx) (err error) {
		out, err = collect(from(tx.QueryContext(ctx, `
			SELECT name, settings, every, paused, next_at, last_at, brought, failure, quiet FROM subscriptions ORDER BY name`)),
			func(rows *sql.Rows) (s catalog.Subscription, err error) {
				var every, next, last int64
				err = rows.Scan(&s.Name, &s.Settings, &every, &s.Paused, &next, &last, &s.Brought, &s.Failure, &s.Quiet)
				s.Every, s.Next, s.Last = time.Duration(every), unstamp(next), unstamp(last)
				return s, err
			})
		return err
	})
	return out, err
}

// DeleteSubscription implements catalog.Crawls.
func (c *Catalog) DeleteSubscription(ctx context.Context, name string) error {
	return c.write(ctx, "delete subscription", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM subscriptions WHERE name = ?", name)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("subscription %q: %w", name, palate.ErrNotFound))
		}
		return nil
	})
}
