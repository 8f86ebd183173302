package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

// TryAgain implements catalog.Crawls.
func (c *Catalog) TryAgain(ctx context.Context, crawl string, reasons []string) (again catalog.Again, err error) {
	err = c.write(ctx, "try lost pictures again", func(ctx context.Context, tx *sql.Tx) error {
		again = catalog.Again{}
		var no int64
		err := tx.QueryRowContext(ctx, "SELECT no FROM crawls c WHERE name = ? AND EXISTS (SELECT 1 FROM tasks WHERE crawl = c.no AND state = 'pending')", crawl).Scan(&no)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		type loss struct {
			id, page       int64
			reason         string
			state, pageWas string
		}
		lost, err := collect(from(tx.QueryContext(ctx, `
			SELECT t.id, t.reason, p.id, p.state, p.reason FROM tasks t
			JOIN tasks p ON p.crawl = t.crawl AND p.url = t.referer AND p.kind <> 'image' AND p.refused = '' AND p.state IN ('visited', 'pending')
			WHERE t.crawl = ? AND t.state = 'lost' AND t.reason IN `+textsIn+` AND t.referer <> '' ORDER BY t.id`, no, textList(reasons))),
			func(rows *sql.Rows) (l loss, err error) {
				return l, rows.Scan(&l.id, &l.reason, &l.page, &l.state, &l.pageWas)
			})
		if err != nil {
			return err
		}
		forgotten, pages := map[int64]bool{}, map[int64]bool{}
		for _, l := range lost {
			if !forgotten[l.id] {
				forgotten[l.id] = true
				if _, err := tx.ExecContext(ctx, "DELETE FROM tasks WHERE id = ?", l.id); err != nil {
					return err
				}
				if err := tally(ctx, tx, no, crawler.Outcome{State: crawler.Lost, Reason: l.reason}, -1); err != nil {
					return err
				}
			}
			if pages[l.page] || l.state == string(crawler.Pending) {
				continue
			}
			pages[l.page] = true
			if err := visitAgain(ctx, tx, no, l.page, crawler.Outcome{State: crawler.State(l.state), Reason: l.pageWas}); err != nil {
				return err
			}
		}
		again = catalog.Again{Pictures: len(forgotten), Pages: len(pages)}
		return nil
	})
	return again, err
}

// visitAgain makes a page that was read pending.
func visitAgain(ctx context.Context, tx *sql.Tx, crawl, page int64, was crawler.Outcome) error {
	if _, err := tx.ExecContext(ctx, "UPDATE tasks SET state = 'pending', reason = '', detail = '', source = '{}', alternatives = NULL, attempts = 0, not_before = 0, run = NULL WHERE id = ?", page); err != nil {
		return err
	}
	if err := tally(ctx, tx, crawl, was, -1); err != nil {
		return err
	}
	return tally(ctx, tx, crawl, crawler.Outcome{State: crawler.Pending}, 1)
}
