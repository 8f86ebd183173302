package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/palate-art/palate/crawler"
)

// carried is the column "alternatives" of a task: a list of a picture's
// further addresses, or an object. Null if there is nothing.
type carried struct {
	Addresses []string       `json:"addresses,omitempty"` // of a picture
	Leads     []crawler.Lead `json:"leads,omitempty"`     // of a page that is pending
	Shown     string         `json:"shown,omitempty"`     // of a page that was read
	For       *crawler.Stand `json:"for,omitempty"`       // of a picture
	Frame     bool           `json:"frame,omitempty"`     // of a picture
	Gave      crawler.Gave   `json:"gave,omitempty"`      // of a page that was read
}

func carriedBy(t crawler.Task) carried {
	return carried{Addresses: t.Alternatives, Leads: t.Leads, For: t.For}
}

// text gives the column.
func (c carried) text() (any, error) {
	var value any = c
	switch {
	case len(c.Leads) > 0 || c.Shown != "" || c.For != nil || c.Frame || c.Gave != "":
	case len(c.Addresses) > 0:
		value = c.Addresses
	default:
		return nil, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return string(text), nil
}

func readCarried(text string) (c carried, err error) {
	switch {
	case text == "":
	case strings.HasPrefix(text, "{"):
		err = json.Unmarshal([]byte(text), &c)
	default:
		err = json.Unmarshal([]byte(text), &c.Addresses)
	}
	if err != nil {
		return c, fmt.Errorf("alternatives: %w", err)
	}
	return c, nil
}

// giveTo puts into a task what it carries. A page's list of addresses, as it
// was written before there were leads, is one lead.
func (c carried) giveTo(t *crawler.Task) {
	t.Alternatives, t.Leads, t.For = c.Addresses, c.Leads, c.For
	if t.Kind == crawler.Page && len(t.Alternatives) > 0 {
		t.Leads = []crawler.Lead{{Addresses: t.Alternatives, Around: true, Caption: t.Source.Title, Source: t.Source, Depth: t.Depth}}
		t.Alternatives = nil
	}
}

// foundAgain deals with a task that the round has seen, see crawler.FoundAgain.
func foundAgain(ctx context.Context, tx *sql.Tx, crawl int64, found crawler.Task) (added int, err error) {
	if len(found.Leads) == 0 && found.For == nil {
		return 0, nil
	}
	var id int64
	var text string
	var have crawler.Seen
	err = tx.QueryRowContext(ctx, "SELECT id, state, reason, coalesce(alternatives, '') FROM tasks WHERE crawl = ? AND key = ?", crawl, taskKey(found)).
		Scan(&id, &have.State, &have.Reason, &text)
	if err != nil {
		return 0, err
	}
	c, err := readCarried(text)
	if err != nil {
		return 0, fmt.Errorf("task %d: %w", id, err)
	}
	have.Leads, have.Shown, have.For, have.Frame = c.Leads, c.Shown, c.For, c.Frame
	now, further := crawler.FoundAgain(have, found)
	c.Leads, c.Shown, c.For, c.Frame = now.Leads, now.Shown, now.For, now.Frame
	value, err := c.text()
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE tasks SET alternatives = ? WHERE id = ?", value, id); err != nil {
		return 0, err
	}
	return addTasks(ctx, tx, crawl, further)
}
