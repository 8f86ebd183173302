package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
)

// tendEvery is how often a server looks after what was left behind.
const tendEvery = time.Hour

// tend looks after what killed processes left, for the commands that write;
// failing to is no reason to call their work failed.
func (h *home) tend(ctx context.Context) {
	swept, err := h.collection.Sweep(ctx, ingest.DefaultSweepRules())
	switch {
	case errors.Is(err, palate.ErrConflict), ctx.Err() != nil: // another process is at it, or the next one will be
	case err != nil:
		h.session.logger.WarnContext(ctx, "files left behind could not be looked after", "error", err)
	default:
		h.tellSwept(swept)
	}
	expired, err := h.collection.EmptyTrash(ctx, time.Now().Add(-ingest.KeptFor))
	if err != nil && ctx.Err() == nil {
		h.session.logger.WarnContext(ctx, "the trash could not be looked after", "error", err)
	}
	if expired > 0 {
		h.session.logger.InfoContext(ctx, "images left the trash after 30 days", "images", expired)
	}
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
// runs, so that an older catalog is noticed later.
func (h *home) keepNoting(ctx context.Context) error {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
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
