package embedder_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/embeddertest"
)

// thumbnail embeds a picture as itself, 8×8. It stands in for a model where
// a test is about the pipeline; each Embed takes its time.
type thumbnail struct {
	embedder.Description
	takes   time.Duration // per Embed
	fail    error         // what every Embed gives, if set
	largest *atomic.Int64 // batch
}

func newThumbnail() thumbnail {
	d := plain(embedder.FitStretch, 8, 8)
	d.Mean = [3]float64{0.5, 0.5, 0.5}
	return thumbnail{Description: d, largest: new(atomic.Int64)}
}

func (e thumbnail) Dim() int              { return 3*8*8 + 1 }
func (e thumbnail) Model() palate.ModelID { return embedder.Fingerprint([32]byte{}, e.Description) }
func (e thumbnail) Name() string          { return e.Description.Name }
func (e thumbnail) Provider() string      { return "test" }

func (e thumbnail) Embed(ctx context.Context, inputs []embedder.Input) ([]palate.Embedding, error) {
	if e.takes > 0 {
		select {
		case <-time.After(e.takes):
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.fail != nil {
		return nil, e.fail
	}
	e.largest.Store(max(e.largest.Load(), int64(len(inputs))))
	var all []palate.Embedding
	for _, in := range inputs {
		if in.Channels != 3 || in.Width != 8 || in.Height != 8 || len(in.Pixels) != 192 {
			return nil, fmt.Errorf("shape: %w", palate.ErrInvalid)
		}
		v := append(palate.Embedding{0.1}, in.Pixels...)
		var sum float64
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if math.IsNaN(sum) || math.IsInf(sum, 0) || in.Pixels[0] > blacklisted {
			return nil, fmt.Errorf("values: %w", palate.ErrInvalid)
		}
		for i := range v {
			v[i] /= float32(math.Sqrt(sum))
		}
		all = append(all, v)
	}
	return all, nil
}

// blacklisted is more than any prepared pixel has; poisoned lets one picture
// pass Prepare and fail in Embed.
const blacklisted = 100

type poisoned struct{ thumbnail }

func (e poisoned) Prepare(img image.Image) (embedder.Input, error) {
	in, err := e.thumbnail.Prepare(img)
	if err == nil && img.Bounds().Dx() == 13 {
		in.Pixels[0] = 2 * blacklisted
	}
	return in, err
}

func TestTheStandInIsAnEmbedder(t *testing.T) { embeddertest.Run(t, newThumbnail()) }

var errBroken = fmt.Errorf("broken picture: %w", palate.ErrInvalid)

// items are n pictures whose width is their number plus one; those that
// broken names can't be opened. Each takes its time to open.
func items(n int, takes time.Duration, broken ...int) iter.Seq2[embedder.Item, error] {
	return func(yield func(embedder.Item, error) bool) {
		for i := range n {
			item := embedder.Item{ID: palate.ImageID{byte(i), byte(i >> 8)}, Open: func(_ context.Context, use func(image.Image) error) error {
				time.Sleep(takes)
				if slices.Contains(broken, i) {
					return errBroken
				}
				return use(halves(i+1, 3))
			}}
			if !yield(item, nil) {
				return
			}
		}
	}
}

func number(id palate.ImageID) int { return int(id[0]) + int(id[1])<<8 }

func TestEveryItemComesOutInOrderWithItsOwnEmbedding(t *testing.T) {
	for _, c := range []embedder.PipelineConfig{
		{PrepareWorkers: 1, EmbedWorkers: 1, BatchSize: 1, Window: 1},
		{PrepareWorkers: 7, EmbedWorkers: 3, BatchSize: 4, Window: 2},
		{PrepareWorkers: 2, EmbedWorkers: 1, BatchSize: 100, Window: 300},
		embedder.DefaultPipelineConfig(),
	} {
		e := newThumbnail()
		next := 0
		stats, err := embedder.Run(context.Background(), e, c, items(300, 0, 3, 4, 299), func(r embedder.Result) error {
			i := number(r.ID)
			if i != next {
				t.Errorf("got item %d, want %d", i, next)
			}
			next++
			if slices.Contains([]int{3, 4, 299}, i) {
				if r.Embedding != nil || !errors.Is(r.Err, errBroken) {
					t.Errorf("item %d: got %v, want the error of Open", i, r.Err)
				}
				return nil
			}
			in, err := e.Prepare(halves(i+1, 3))
			if err != nil || r.Err != nil {
				t.Fatal(err, r.Err)
			}
			want, err := e.Embed(context.Background(), []embedder.Input{in})
			if err != nil || !slices.Equal(r.Embedding, want[0]) {
				t.Errorf("item %d: got another embedding than its own (%v)", i, err)
			}
			return nil
		})
		if err != nil || stats.Embedded != 297 || stats.Failed != 3 || next != 300 {
			t.Errorf("%+v: got %+v and %v, want 297 embedded, 3 failed", c, stats, err)
		}
		if got := e.largest.Load(); got > int64(c.BatchSize) {
			t.Errorf("got a batch of %d, want at most %d", got, c.BatchSize)
		}
	}
}

func TestOneBadPictureInABatchFailsAlone(t *testing.T) {
	e := poisoned{newThumbnail()}
	c := embedder.PipelineConfig{PrepareWorkers: 1, EmbedWorkers: 1, BatchSize: 50, Window: 50}
	var failed []int
	stats, err := embedder.Run(context.Background(), e, c, items(40, 0), func(r embedder.Result) error {
		if r.Err != nil {
			failed = append(failed, number(r.ID))
		}
		return nil
	})
	if err != nil || stats.Embedded != 39 || !slices.Equal(failed, []int{12}) {
		t.Errorf("got %+v, %v and failures of %v, want of 12 alone", stats, err, failed)
	}
}

// Time is faked: 40 pictures that take 30 ms to open and 20 ms to embed, and
// a sink of 5 ms, go in 40·30/2 ms and what the last one takes behind it, not
// in the sum.
func TestStagesOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newThumbnail()
		e.takes = 20 * time.Millisecond
		c := embedder.PipelineConfig{PrepareWorkers: 2, EmbedWorkers: 2, BatchSize: 1, Window: 16}
		stats, err := embedder.Run(context.Background(), e, c, items(40, 30*time.Millisecond), func(embedder.Result) error {
			time.Sleep(5 * time.Millisecond)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := (600 + 20 + 10) * time.Millisecond; stats.Wall != want {
			t.Errorf("got %v, want %v", stats.Wall, want)
		}
		if stats.Decode != 1200*time.Millisecond || stats.Infer != 800*time.Millisecond {
			t.Errorf("got decode %v and infer %v, want 1.2s and 800ms", stats.Decode, stats.Infer)
		}
		if got, want := stats.Rate(), 40/0.63; math.Abs(got-want) > 1e-9 {
			t.Errorf("got rate %v, want %v", got, want)
		}
	})
}

// Batches fill while the model is the slower part.
func TestBatchesFillWhenInferenceIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newThumbnail()
		e.takes = time.Second
		c := embedder.PipelineConfig{PrepareWorkers: 2, EmbedWorkers: 1, BatchSize: 8, Window: 32}
		stats, err := embedder.Run(context.Background(), e, c, items(33, time.Millisecond), func(embedder.Result) error { return nil })
		// One alone, then four times eight.
		if err != nil || e.largest.Load() != 8 || stats.Infer != 5*time.Second {
			t.Errorf("got %v, batches up to %d, infer %v, want 8 and 5s", err, e.largest.Load(), stats.Infer)
		}
	})
}

func TestNoMoreThanTheWindowIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := embedder.PipelineConfig{PrepareWorkers: 2, EmbedWorkers: 2, BatchSize: 1, Window: 5}
		var begun, most int
		var ended atomic.Int64
		source := func(yield func(embedder.Item, error) bool) {
			for item := range items(50, 0) {
				if !yield(item, nil) {
					return
				}
				begun++
				most = max(most, begun-int(ended.Load()))
			}
		}
		_, err := embedder.Run(context.Background(), newThumbnail(), c, source, func(embedder.Result) error {
			time.Sleep(time.Second) // everything else comes to rest
			ended.Add(1)
			return nil
		})
		// One more may be in the sink's hands and one in the source's.
		if err != nil || most < c.Window || most > c.Window+2 {
			t.Errorf("got %v and %d under way, want %d to %d", err, most, c.Window, c.Window+2)
		}
	})
}

func TestErrorsThatStopTheRun(t *testing.T) {
	errSource, errSink, errModel := errors.New("source"), errors.New("sink"), errors.New("device lost")
	keep := func(embedder.Result) error { return nil }
	forever := items(math.MaxInt, 0)
	tests := map[string]struct {
		want error
		run  func() (embedder.Stats, error)
	}{
		"of the source": {errSource, func() (embedder.Stats, error) {
			source := func(yield func(embedder.Item, error) bool) {
				for item := range items(10, 0) {
					if !yield(item, nil) {
						return
					}
				}
				yield(embedder.Item{}, errSource)
			}
			return embedder.Run(context.Background(), newThumbnail(), embedder.DefaultPipelineConfig(), source, keep)
		}},
		"of the sink": {errSink, func() (embedder.Stats, error) {
			sink := func(r embedder.Result) error {
				if number(r.ID) == 20 {
					return errSink
				}
				return nil
			}
			return embedder.Run(context.Background(), newThumbnail(), embedder.DefaultPipelineConfig(), forever, sink)
		}},
		"of the model": {errModel, func() (embedder.Stats, error) {
			e := newThumbnail()
			e.fail = errModel
			return embedder.Run(context.Background(), e, embedder.DefaultPipelineConfig(), forever, keep)
		}},
		"of the context": {context.Canceled, func() (embedder.Stats, error) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			return embedder.Run(ctx, newThumbnail(), embedder.DefaultPipelineConfig(), forever, func(r embedder.Result) error {
				if number(r.ID) == 20 {
					cancel()
				}
				return nil
			})
		}},
		"of the configuration": {palate.ErrInvalid, func() (embedder.Stats, error) {
			return embedder.Run(context.Background(), newThumbnail(), embedder.PipelineConfig{}, forever, keep)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which fails if a goroutine stays behind
				stats, err := test.run()
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if name == "of the sink" && stats.Embedded != 20 {
					t.Errorf("got %d embedded, want the 20 that the sink took", stats.Embedded)
				}
			})
		})
	}
}

func TestNothingToDo(t *testing.T) {
	stats, err := embedder.Run(context.Background(), newThumbnail(), embedder.DefaultPipelineConfig(), items(0, 0), func(embedder.Result) error {
		t.Error("got a result")
		return nil
	})
	if err != nil || stats.Embedded != 0 || stats.Failed != 0 || stats.Rate() != 0 {
		t.Errorf("got %+v and %v, want nothing", stats, err)
	}
}
