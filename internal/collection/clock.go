package collection

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
)

// seeClock notes the time, and tells of a clock that went back when that is
// found, or with again. Failing to is no reason to stop.
func (c *Collection) seeClock(ctx context.Context, again bool) catalog.Clock {
	begun := time.Now()
	clock, err := c.Pictures.LookAtClock(ctx)
	if err != nil && ctx.Err() == nil {
		c.logger.WarnContext(ctx, "the clock could not be looked at", "error", err)
	}
	if err == nil && clock.Back() > 0 && (again || !clock.Doubted.Before(begun.Round(0))) {
		note(c.tell, "Look at the time: %s.", ingest.ClockText(clock))
	}
	return clock
}

// LetCrawlsGoOn lets crawls go on that wait for longer than any site may ask,
// and tells of it.
func (c *Collection) LetCrawlsGoOn(ctx context.Context) error {
	if c.ReadOnly() != nil {
		return nil
	}
	tasks, err := c.Catalog.DueAtOnce(ctx, time.Now().Add(crawler.LongestWait))
	if tasks > 0 {
		note(c.tell, "%d addresses of crawls waited for longer than a site may ask: the clock was ahead when they were put off, or is behind now. They wait no longer.", tasks)
	}
	return err
}

// ClockLooks is what can be said of the machine's clock.
type ClockLooks struct {
	Now     time.Time `json:"now"`
	Doubted time.Time `json:"doubted,omitzero"` // since when, by this clock
	From    time.Time `json:"from,omitzero"`    // what it had said before
	Tasks   int       `json:"tasks"`            // of crawls that wait for longer than any site may ask
}

// LookAtClock tells of a clock that went back, and of what waits because it
// had run ahead. One that went on is no problem: the collection may have lain
// unused.
func (c *Collection) LookAtClock(ctx context.Context) (looks ClockLooks, problems []string, err error) {
	looks.Now = time.Now()
	clock, err := c.Pictures.LookAtClock(ctx)
	if err != nil {
		return looks, nil, err
	}
	looks.Doubted, looks.From = clock.Doubted, clock.From
	if clock.Back() > 0 {
		problems = append(problems, ingest.ClockText(clock))
	}
	if looks.Tasks, err = c.Catalog.DueBeyond(ctx, looks.Now.Add(crawler.LongestWait)); err == nil && looks.Tasks > 0 {
		problems = append(problems, fmt.Sprintf("%d addresses of crawls wait for longer than a site may ask: the clock was ahead when they were put off, or is behind now; once it is right, palate crawl visits them at once", looks.Tasks))
	}
	return looks, problems, err
}

// Clock is what the times of subscriptions go by.
type Clock interface {
	Now() time.Time
	// After sends once, when d has passed.
	After(d time.Duration) <-chan time.Time
}

// SystemClock is the clock of this machine.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// After implements Clock.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
