package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/palate-art/palate/crawler"
)

// retraceAtOnce is how many pages are read at a time: whoever hears of them may
// use the catalog meanwhile.
const retraceAtOnce = 1000

// Retrace implements crawler.Frontier.
func (c *Catalog) Retrace(ctx context.Context, crawl string, visit func(crawler.Step) error) error {
	for after := int64(0); ; {
		var steps []crawler.Step
		err := c.read(ctx, "retrace crawl", func(ctx context.Context, tx *sql.Tx) error {
			no, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT no FROM crawls WHERE name = ?", crawl))
			if err != nil {
				return orNotFound(err, "crawl %q", crawl)
			}
			steps, err = collect(from(tx.QueryContext(ctx, `
				SELECT id, url, referer, state, CASE WHEN state = 'visited' THEN coalesce(alternatives, '') ELSE '' END
				FROM tasks WHERE crawl = ? AND id > ? AND kind <> 'image' AND refused = '' ORDER BY id LIMIT ?`, no, after, retraceAtOnce)),
				func(rows *sql.Rows) (s crawler.Step, err error) {
					var text string
					if err := rows.Scan(&after, &s.URL, &s.Referer, &s.State, &text); err != nil {
						return s, err
					}
					carried, err := readCarried(text)
					if err != nil {
						return s, fmt.Errorf("task %d: %w", after, err)
					}
					s.Gave = carried.Gave
					return s, nil
				})
			return err
		})
		if err != nil || len(steps) == 0 {
			return err
		}
		for _, s := range steps {
			if err := visit(s); err != nil {
				return err
			}
		}
	}
}
