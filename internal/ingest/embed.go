package ingest

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/picture"
)

// embedPage is how many pending images are taken from the catalog at a time;
// the stages run empty between two pages, which at this size costs nothing.
const embedPage = 1024

// writeBatch and writeDelay bound how many embeddings wait to be durable, and
// how long: a killed process repeats at most these.
const (
	writeBatch = 64
	writeDelay = 500 * time.Millisecond
)

// maxFailuresTold bounds the list of failures in a report.
const maxFailuresTold = 20

// EmbedReport tells what embedding did. Total grows while more is found.
type EmbedReport struct {
	Total           int            `json:"total"`
	Embedded        int            `json:"embedded"`
	Failed          int            `json:"failed"`
	Failures        []EmbedFailure `json:"failures,omitempty"` // the first of them
	Seconds         float64        `json:"seconds"`
	ImagesPerSecond float64        `json:"images_per_second"`
	// Busy seconds of all workers of a stage together.
	DecodeSeconds  float64 `json:"decode_seconds"`
	PrepareSeconds float64 `json:"prepare_seconds"`
	InferSeconds   float64 `json:"infer_seconds"`
	WriteSeconds   float64 `json:"write_seconds"`
	// Seconds that workers waited: those of inference for prepared pictures,
	// those that prepare for room to put one.
	StarvedSeconds float64 `json:"starved_seconds"`
	BlockedSeconds float64 `json:"blocked_seconds"`
	// Bound is the stage that the others wait for.
	Bound embedder.Stage `json:"bound,omitempty"`
}

// EmbedFailure is a picture that was passed by.
type EmbedFailure struct {
	Image  palate.ImageID `json:"image_id"`
	Reason string         `json:"reason"`
}

// EmbedPending embeds every image that has no embedding of the model. A
// picture that can't be embedded is recorded with the reason and passed by.
// palate.ErrConflict if another process is at it. progress, if not nil, is
// called after every write.
func (c *Collection) EmbedPending(ctx context.Context, e embedder.Embedder, config embedder.PipelineConfig, progress func(EmbedReport)) (EmbedReport, error) {
	lease, err := c.catalog.AcquireLease(ctx, "embed-"+e.Model().Short())
	if err != nil {
		return EmbedReport{}, fmt.Errorf("embed: %w", err)
	}
	report, err := c.embedPending(ctx, e, config, progress)
	return report, errors.Join(err, lease.Release())
}

func (c *Collection) embedPending(ctx context.Context, e embedder.Embedder, config embedder.PipelineConfig, progress func(EmbedReport)) (EmbedReport, error) {
	pending, err := c.catalog.Unembedded(ctx, e.Model(), embedPage)
	if err != nil || len(pending) == 0 {
		return EmbedReport{}, err
	}
	return job.Do(ctx, c.catalog, job.Embed, "", func(ctx context.Context, j *job.Job) (EmbedReport, error) {
		return c.embedPages(ctx, e, config, pending, func(r EmbedReport) {
			j.Progress(ctx, int64(r.Embedded+r.Failed), int64(r.Total))
			if progress != nil {
				progress(r)
			}
		})
	})
}

// embedPages embeds these images and whatever is found pending after them.
func (c *Collection) embedPages(ctx context.Context, e embedder.Embedder, config embedder.PipelineConfig, pending []catalog.Image, progress func(EmbedReport)) (EmbedReport, error) {
	config.Meter = &c.meter
	before := c.meter.Stats()
	w := &embeddingWriter{catalog: c.catalog, model: e.Model(), flushed: time.Now()}
	w.progress = func() { progress(w.report) }
	var err error
	for err == nil && len(pending) > 0 {
		w.report.Total += len(pending)
		_, err = embedder.Run(ctx, e, config, c.items(pending, e.Reading()), func(r embedder.Result) error { return w.take(ctx, r) })
		w.count(c.meter.Stats().Since(before))
		// What is embedded is kept even when ctx is done.
		if flushErr := w.flush(context.WithoutCancel(ctx)); err == nil {
			err = flushErr
		}
		if err == nil {
			pending, err = c.catalog.Unembedded(ctx, e.Model(), embedPage)
		}
	}
	return w.report, err
}

// items are the pictures of images, decoded when their turn comes.
func (c *Collection) items(images []catalog.Image, reading picture.Reading) iter.Seq2[embedder.Item, error] {
	return func(yield func(embedder.Item, error) bool) {
		for _, i := range images {
			open := func(ctx context.Context) (image.Image, error) { return c.open(ctx, i.ID, reading) }
			if !yield(embedder.Item{ID: i.ID, Open: open}, nil) {
				return
			}
		}
	}
}

// embeddingWriter writes results to the catalog, some at a time.
type embeddingWriter struct {
	catalog  catalog.Catalog
	model    palate.ModelID
	progress func()
	report   EmbedReport
	waiting  []catalog.ImageEmbedding
	flushed  time.Time
}

func (w *embeddingWriter) take(ctx context.Context, r embedder.Result) error {
	if r.Err != nil {
		return w.fail(ctx, r)
	}
	w.waiting = append(w.waiting, catalog.ImageEmbedding{ID: r.ID, Embedding: r.Embedding})
	if len(w.waiting) < writeBatch && time.Since(w.flushed) < writeDelay {
		return nil
	}
	return w.flush(ctx)
}

func (w *embeddingWriter) flush(ctx context.Context) error {
	if len(w.waiting) == 0 {
		return nil
	}
	begun := time.Now()
	if err := w.catalog.PutEmbeddings(ctx, w.model, w.waiting); err != nil {
		return err
	}
	w.flushed = time.Now()
	w.report.WriteSeconds += w.flushed.Sub(begun).Seconds()
	w.report.Embedded += len(w.waiting)
	w.waiting = w.waiting[:0]
	w.progress()
	return nil
}

// fail records a failure that is the picture's own: it is broken, its file is
// gone, or a referenced file has changed. Any other error would meet every
// picture and stops the work.
func (w *embeddingWriter) fail(ctx context.Context, r embedder.Result) error {
	own := errors.Is(r.Err, palate.ErrInvalid) || errors.Is(r.Err, palate.ErrNotFound) || errors.Is(r.Err, palate.ErrConflict)
	if !own || ctx.Err() != nil {
		return fmt.Errorf("image %s: %w", r.ID, r.Err)
	}
	err := w.catalog.FailEmbedding(ctx, w.model, r.ID, r.Err.Error())
	if errors.Is(err, palate.ErrNotFound) { // deleted meanwhile
		w.report.Total--
		return nil
	}
	if err != nil {
		return err
	}
	w.report.Failed++
	if len(w.report.Failures) < maxFailuresTold {
		w.report.Failures = append(w.report.Failures, EmbedFailure{r.ID, r.Err.Error()})
	}
	w.progress()
	return nil
}

// count takes over what the pipeline has done so far.
func (w *embeddingWriter) count(s embedder.Stats) {
	r := &w.report
	r.Seconds, r.ImagesPerSecond = s.Wall.Seconds(), s.Rate()
	r.DecodeSeconds, r.PrepareSeconds, r.InferSeconds = s.Decode.Seconds(), s.Prepare.Seconds(), s.Infer.Seconds()
	r.StarvedSeconds, r.BlockedSeconds = s.Starved.Seconds(), s.Blocked.Seconds()
	r.Bound = s.Bound()
}
