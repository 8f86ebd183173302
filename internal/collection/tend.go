package collection

import (
	"context"
	"time"

	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
)

// tendEvery is how often a server looks after what was left behind.
const tendEvery = time.Hour

// Tend looks after what killed processes left, for the commands that write;
// failing to is no reason to call their work failed.
func (c *Collection) Tend(ctx context.Context) {
	tended, err := c.Pictures.Tend(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.logger.WarnContext(ctx, "what was left behind could not be looked after", "error", err)
		}
		return
	}
	c.tellSwept(tended.Swept)
	if tended.PutOff > 0 {
		note(c.tell, "%d images have been in the trash for 30 days and stay for another: %s.", tended.PutOff, ingest.ClockText(tended.Clock))
	}
	if tended.Expired > 0 {
		c.logger.InfoContext(ctx, "images left the trash after 30 days", "images", tended.Expired)
	}
}

// keepTending does so again and again, while a server runs.
func (c *Collection) keepTending(ctx context.Context) error {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		c.Tend(ctx)
		if err := c.Pictures.Compact(ctx, ingest.ChangesKept); err != nil && ctx.Err() == nil {
			c.logger.WarnContext(ctx, "old changes could not be forgotten", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// keepNoting tells the store how far the catalog has come, while a server
// runs, so that an older catalog is noticed later, and looks at the clock.
func (c *Collection) keepNoting(ctx context.Context) error {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for clock := c.seeClock(ctx, true); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if next, err := c.Pictures.LookAtClock(ctx); err == nil && !next.Doubted.Equal(clock.Doubted) {
			if clock = next; clock.InDoubt() {
				c.logger.WarnContext(ctx, "the clock jumped", "by", clock.Doubted.Sub(clock.From), "what", ingest.ClockText(clock))
			}
		}
		if err := c.Pictures.Note(ctx); err != nil && ctx.Err() == nil {
			c.logger.DebugContext(ctx, "the image store was not told how far the catalog has come", "error", err)
		}
	}
}

// noteEvery is how often a server does; closing does it too.
const noteEvery = 10 * time.Second

// tellSwept says what a person should know of a sweep.
func (c *Collection) tellSwept(swept imagestore.Swept) {
	switch {
	case swept.Orphans > swept.Moved && swept.Moved == 0:
		note(c.tell, "%d picture files have no row in the catalog, which is more than killed processes leave. They were left alone: \"palate import --adopt\" takes them into the collection.", swept.Orphans)
	case swept.Moved > 0:
		note(c.tell, "%d picture files without a row in the catalog, left by killed processes, were moved to %s and are kept for 30 days.", swept.Moved, swept.Folder)
	}
	if swept.Unfinished+swept.Discarded+swept.Expired > 0 {
		c.logger.Info("files left behind were removed", "unfinished", swept.Unfinished, "deleted_before", swept.Discarded, "expired", swept.Expired)
	}
}

// Adopt gives picture files that the catalog does not know a row. The
// collection was opened by OpenToAdopt.
func (c *Collection) Adopt(ctx context.Context) (ingest.Adoption, error) {
	defer c.tell.EndProgress()
	return job.Do(ctx, c.Catalog, job.Import, "", func(ctx context.Context, j *job.Job) (ingest.Adoption, error) {
		return c.Pictures.Adopt(ctx, func(files int) {
			c.tell.Progress("adopt", "img", int64(files), 0)
			j.Progress(ctx, int64(files), 0)
		})
	})
}
