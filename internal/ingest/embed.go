package ingest

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"sync/atomic"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/picture"
)

// Images are claimed in pages that last for between a quarter of a second and
// two: each claim is a durable commit, and what a slow process has claimed a fast
// one waits for.
const (
	firstClaim = 32
	leastClaim = 8
	mostClaim  = 1024

	shortClaim = 250 * time.Millisecond
	longClaim  = 2 * time.Second
)

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
	Copied          int            `json:"copied,omitempty"` // from a former model, see EmbedUpgrade
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

// EmbedPending embeds the images that have no embedding of the model and that
// no other process is embedding: several share the work. A picture that can't be
// embedded is recorded with the reason and passed by. progress, if not nil, is
// called after every write.
func (c *Collection) EmbedPending(ctx context.Context, e embedder.Embedder, config embedder.PipelineConfig, progress func(EmbedReport)) (EmbedReport, error) {
	return c.embed(ctx, e, nil, config, progress, func(ctx context.Context) (bool, error) { return false, ctx.Err() })
}

// EmbedAll is EmbedPending that returns when every image has an embedding or a
// failure: it waits for what others are at, and takes over what they give up.
// waiting, if not nil, is called when that begins.
func (c *Collection) EmbedAll(ctx context.Context, e embedder.Embedder, config embedder.PipelineConfig, progress func(EmbedReport), waiting func()) (EmbedReport, error) {
	return c.embedAll(ctx, e, nil, config, progress, waiting)
}

func (c *Collection) embedAll(ctx context.Context, e embedder.Embedder, former *Former, config embedder.PipelineConfig, progress func(EmbedReport), waiting func()) (EmbedReport, error) {
	return c.embed(ctx, e, former, config, progress, c.untilAll(e.Model(), waiting))
}

// EmbedAs is EmbedAll as a job that has begun.
func (c *Collection) EmbedAs(ctx context.Context, j *job.Job, e embedder.Embedder, config embedder.PipelineConfig) (EmbedReport, error) {
	return c.embedAs(ctx, j, e, nil, config, nil, c.untilAll(e.Model(), nil))
}

// untilAll waits until something is free to be embedded, or nothing is left.
func (c *Collection) untilAll(m palate.ModelID, waiting func()) func(context.Context) (bool, error) {
	told := false
	return func(ctx context.Context) (bool, error) {
		for {
			last, err := c.catalog.LastChange(ctx)
			if err != nil {
				return false, err
			}
			free, claimed, err := c.work(ctx, m)
			if err != nil || free || !claimed {
				return free, err
			}
			if !told && waiting != nil {
				waiting()
			}
			told = true
			if err := job.NextChange(ctx, c.catalog, last); err != nil {
				return false, err
			}
		}
	}
}

// work tells whether there is something to embed, and whether others are at
// something. What the dead had claimed is free again.
func (c *Collection) work(ctx context.Context, m palate.ModelID) (free, claimed bool, err error) {
	free, claimed, err = c.catalog.EmbeddingWork(ctx, m)
	if err != nil || free || !claimed {
		return free, claimed, err
	}
	if ended, err := c.catalog.EndDeadRuns(ctx); err != nil || ended == 0 {
		return free, claimed, err
	}
	return c.catalog.EmbeddingWork(ctx, m)
}

// embed embeds what is free, and again as long as more says so.
func (c *Collection) embed(ctx context.Context, e embedder.Embedder, former *Former, config embedder.PipelineConfig, progress func(EmbedReport), more func(context.Context) (bool, error)) (EmbedReport, error) {
	free, _, err := c.work(ctx, e.Model())
	if err == nil && !free {
		free, err = more(ctx)
	}
	if err != nil || !free {
		return EmbedReport{}, err
	}
	return job.Do(ctx, c.catalog, job.Embed, "", func(ctx context.Context, j *job.Job) (EmbedReport, error) {
		return c.embedAs(ctx, j, e, former, config, progress, more)
	})
}

// embedAs is what a job of embedding does.
func (c *Collection) embedAs(ctx context.Context, j *job.Job, e embedder.Embedder, former *Former, config embedder.PipelineConfig, progress func(EmbedReport), more func(context.Context) (bool, error)) (EmbedReport, error) {
	config.Meter = &c.meter
	before := c.meter.Stats()
	w := &embeddingWriter{catalog: c.catalog, job: j, model: e.Model(), flushed: time.Now()}
	w.progress = func() {
		report := w.told()
		j.Progress(ctx, int64(report.Embedded+report.Copied+report.Failed), int64(report.Total))
		if progress != nil {
			progress(report)
		}
	}
	defer func() {
		r := w.told()
		j.Say(ctx, "%d pictures were embedded, %d copied, %d could not be.", r.Embedded, r.Copied, r.Failed)
	}()
	for again := true; again; {
		w.total.Store(int64(w.report.Embedded+w.report.Failed) + w.copied.Load())
		_, err := embedder.Run(ctx, e, config, c.claimed(ctx, e, former, j.Run.ID, w), func(r embedder.Result) error { return w.take(ctx, r) })
		w.count(c.meter.Stats().Since(before))
		// What is embedded is kept even when ctx is done.
		flushErr := errors.Join(w.flush(context.WithoutCancel(ctx)), w.damages.put(context.WithoutCancel(ctx), c.catalog, true))
		if err == nil {
			err = flushErr
		}
		if err == nil {
			again, err = more(ctx)
		}
		if err != nil {
			return w.told(), err
		}
	}
	return w.told(), nil
}

// claimed are the pictures that this run claims, some at a time until none is
// left, decoded when their turn comes.
func (c *Collection) claimed(ctx context.Context, e embedder.Embedder, former *Former, run int64, w *embeddingWriter) iter.Seq2[embedder.Item, error] {
	return func(yield func(embedder.Item, error) bool) {
		for page := firstClaim; ; {
			begun := time.Now()
			images, err := c.catalog.ClaimUnembedded(ctx, e.Model(), run, page)
			if err != nil {
				yield(embedder.Item{}, err)
				return
			}
			w.total.Add(int64(len(images)))
			left, copied, err := c.copyUntouched(ctx, e, former, images)
			w.copied.Add(int64(copied))
			if err != nil {
				yield(embedder.Item{}, err)
				return
			}
			for _, i := range left {
				open := func(ctx context.Context, use func(image.Image) error) error {
					info, err := c.openTold(ctx, i.ID, e.Reading(), 0, func(m *picture.RGB) error { return use(m) })
					if err == nil && e.Reading().Rules.TellDamage() {
						w.damages.hear(i, info.Damage)
					}
					return err
				}
				if !yield(embedder.Item{ID: i.ID, Open: open}, nil) {
					return
				}
			}
			if len(images) < page {
				return
			}
			switch lasted := time.Since(begun); {
			case lasted < shortClaim:
				page = min(2*page, mostClaim)
			case lasted > longClaim:
				page = max(page/2, leastClaim)
			}
		}
	}
}

// embeddingWriter writes results to the catalog, some at a time.
type embeddingWriter struct {
	catalog  catalog.Catalog
	job      *job.Job
	model    palate.ModelID
	progress func()
	report   EmbedReport  // but for Total
	total    atomic.Int64 // what was claimed: the source counts while the sink writes
	copied   atomic.Int64 // as total
	waiting  []catalog.ImageEmbedding
	damages  damages
	flushed  time.Time
}

// told is the report as it stands.
func (w *embeddingWriter) told() EmbedReport {
	report := w.report
	report.Total, report.Copied = int(w.total.Load()), int(w.copied.Load())
	return report
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
	if err := w.damages.put(ctx, w.catalog, false); err != nil {
		return err
	}
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
		w.total.Add(-1)
		return nil
	}
	if err != nil {
		return err
	}
	w.report.Failed++
	w.job.Warn(ctx, "Image %s could not be embedded: %s", r.ID, palate.Message(r.Err))
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
