package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
)

// sweepEvery is how often files are held against rows at most, as that walks
// through the whole store.
const sweepEvery = 24 * time.Hour

// By makes a new collection go by another clock than the machine's, and
// returns the collection.
func (c *Collection) By(now func() time.Time) *Collection {
	c.now = now
	return c
}

// LookAtClock notes what the clock says, and tells what is known of it. Its
// Doubted is now if this look found that it had jumped.
func (c *Collection) LookAtClock(ctx context.Context) (catalog.Clock, error) {
	return c.catalog.SeeClock(ctx, c.now())
}

// ClockText tells people of a clock that jumped; it is empty of one that did
// not.
func ClockText(c catalog.Clock) string {
	const minute = "2006-01-02 15:04"
	if !c.InDoubt() {
		return ""
	}
	doubted, from := c.Doubted.Local().Format(minute), c.From.Local().Format(minute)
	if back := c.Back(); back > 0 {
		return fmt.Sprintf("this machine's clock went back by %s: it said %s when palate last looked, and %s after that. What had been put off by the former time goes on, and nothing in the trash expires for a day",
			roughly(back), from, doubted)
	}
	return fmt.Sprintf("this machine's clock is %s ahead of when palate last looked (%s): the collection lay unused, or the clock is wrong. Nothing in the trash expires for a day",
		roughly(c.Doubted.Sub(c.From)), from)
}

// roughly is a duration in the unit that people would use.
func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", int64(d/day))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int64(d/time.Hour))
	}
	return fmt.Sprintf("%d minutes", int64(d/time.Minute))
}

// Tended says what Tend did.
type Tended struct {
	Clock   catalog.Clock
	Swept   imagestore.Swept // zero if files were swept within a day
	Expired int              // images that left the trash
	PutOff  int              // images that would have, but for a clock in doubt
}

// Tend looks after what killed processes left and what has been in the trash
// for KeptFor. While the clock is in doubt nothing expires, and nothing is
// swept. What another process is at is left to that one.
func (c *Collection) Tend(ctx context.Context) (t Tended, err error) {
	if t.Clock, err = c.LookAtClock(ctx); err != nil {
		return t, err
	}
	now := c.now()
	if t.Clock.InDoubt() {
		late, err := c.catalog.Trash(ctx, now.Add(-KeptFor), 1000)
		t.PutOff = len(late)
		return t, err
	}
	if since := now.Sub(t.Clock.Swept); since >= sweepEvery || since < 0 {
		t.Swept, err = c.Sweep(ctx, DefaultSweepRules())
		if err == nil {
			err = c.catalog.SetSwept(ctx, now)
		}
		if errors.Is(err, palate.ErrConflict) {
			err = nil
		}
		if err != nil {
			return t, err
		}
	}
	t.Expired, err = c.EmptyTrash(ctx, now.Add(-KeptFor))
	return t, err
}
