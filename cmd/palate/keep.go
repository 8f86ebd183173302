package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
)

// tendEvery is how often a server looks after what was left behind.
const tendEvery = time.Hour

// tend looks after what killed processes left, for the commands that write;
// failing to is no reason to call their work failed.
func (h *home) tend(ctx context.Context) {
	tended, err := h.collection.Tend(ctx)
	if err != nil {
		if ctx.Err() == nil {
			h.session.logger.WarnContext(ctx, "what was left behind could not be looked after", "error", err)
		}
		return
	}
	h.tellSwept(tended.Swept)
	if tended.PutOff > 0 {
		h.session.note("%d images have been in the trash for 30 days and stay for another: %s.", tended.PutOff, ingest.ClockText(tended.Clock))
	}
	if tended.Expired > 0 {
		h.session.logger.InfoContext(ctx, "images left the trash after 30 days", "images", tended.Expired)
	}
}

// seeClock notes the time, and tells of a clock that went back when that is
// found, or with again. Failing to is no reason to stop.
func (h *home) seeClock(ctx context.Context, again bool) (clock catalog.Clock) {
	begun := time.Now()
	clock, err := h.collection.LookAtClock(ctx)
	if err != nil && ctx.Err() == nil {
		h.session.logger.WarnContext(ctx, "the clock could not be looked at", "error", err)
	}
	if err == nil && clock.Back() > 0 && (again || !clock.Doubted.Before(begun.UTC().Round(0))) {
		h.session.note("Look at the time: %s.", ingest.ClockText(clock))
	}
	return clock
}

// letGoOn lets crawls go on that wait for longer than any site may ask.
func (h *home) letGoOn(ctx context.Context) error {
	if h.readOnly() != nil {
		return nil
	}
	tasks, err := h.catalog.DueAtOnce(ctx, time.Now().Add(crawler.LongestWait))
	if tasks > 0 {
		h.session.note("%d addresses of crawls waited for longer than a site may ask: the clock was ahead when they were put off, or is behind now. They wait no longer.", tasks)
	}
	return err
}

// keepTending does so again and again, while a server runs.
func (h *home) keepTending(ctx context.Context) error {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		h.tend(ctx)
		if err := h.collection.Compact(ctx, ingest.ChangesKept); err != nil && ctx.Err() == nil {
			h.session.logger.WarnContext(ctx, "old changes could not be forgotten", "error", err)
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
func (h *home) keepNoting(ctx context.Context) error {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for clock := h.seeClock(ctx, true); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if next, err := h.collection.LookAtClock(ctx); err == nil && !next.Doubted.Equal(clock.Doubted) {
			if clock = next; clock.InDoubt() {
				h.session.logger.WarnContext(ctx, "the clock jumped", "by", clock.Doubted.Sub(clock.From), "what", ingest.ClockText(clock))
			}
		}
		if err := h.collection.Note(ctx); err != nil && ctx.Err() == nil {
			h.session.logger.DebugContext(ctx, "the image store was not told how far the catalog has come", "error", err)
		}
	}
}

// noteEvery is how often a server does; closing does it too.
const noteEvery = 10 * time.Second

// tellSwept says what a person should know of a sweep.
func (h *home) tellSwept(swept imagestore.Swept) {
	switch {
	case swept.Orphans > swept.Moved && swept.Moved == 0:
		h.session.note("%d picture files have no row in the catalog, which is more than killed processes leave. They were left alone: \"palate import --adopt\" takes them into the collection.", swept.Orphans)
	case swept.Moved > 0:
		h.session.note("%d picture files without a row in the catalog, left by killed processes, were moved to %s and are kept for 30 days.", swept.Moved, swept.Folder)
	}
	if swept.Unfinished+swept.Discarded+swept.Expired > 0 {
		h.session.logger.Info("files left behind were removed", "unfinished", swept.Unfinished, "deleted_before", swept.Discarded, "expired", swept.Expired)
	}
}

// adopt gives files without a row one, after asking.
func (c *importCommand) adopt(ctx context.Context, s *session) error {
	if len(c.Paths) > 0 {
		return usagef("--adopt takes the files of the collection itself: name no paths")
	}
	h, err := openHomeToAdopt(ctx, s)
	if err != nil {
		return err
	}
	report, err := h.adopt(ctx, c.Yes)
	if err == nil && s.JSON {
		err = s.print(report)
	} else if err == nil {
		s.say("%d picture files -> %d adopted, %d known", report.Files, report.Adopted, report.Known)
		s.printLosses(report.Lost, report.Examples)
	}
	return errors.Join(err, h.close())
}

func (h *home) adopt(ctx context.Context, yes bool) (ingest.Adoption, error) {
	question := fmt.Sprintf("Every picture file in %s that the catalog does not know becomes an image of the collection. "+
		"What only a lost catalog knew is gone: titles, sources, ratings. Pictures that were deleted may return. "+
		"A backup (palate restore) would bring all of it back. Go on?", h.session.Data)
	if err := h.session.confirm(os.Stdin, yes, question); err != nil {
		return ingest.Adoption{}, err
	}
	defer h.session.finishProgress()
	return job.Do(ctx, h.catalog, job.Import, "", func(ctx context.Context, j *job.Job) (ingest.Adoption, error) {
		return h.collection.Adopt(ctx, func(files int) {
			h.session.progress("adopt", "img", int64(files), 0)
			j.Progress(ctx, int64(files), 0)
		})
	})
}
