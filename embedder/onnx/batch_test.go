package onnx_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/embeddertest"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
)

// little is a device on which only so many pictures find room at once, over
// all runs together; what does not is refused as ONNX Runtime does it. The
// rest is computed by the real session.
type little struct {
	room int

	mu      sync.Mutex
	inside  int
	largest int
	refused int
}

func (l *little) run(inputs map[string]ort.Tensor, run func() (map[string]ort.Tensor, error)) (map[string]ort.Tensor, error) {
	n := int(inputs["in"].Shape[0])
	l.mu.Lock()
	if l.inside+n > l.room {
		l.refused++
		l.mu.Unlock()
		return nil, fmt.Errorf("run onnx model: %w", ort.ErrOutOfMemory)
	}
	l.inside += n
	l.largest = max(l.largest, n)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.inside -= n
		l.mu.Unlock()
	}()
	return run()
}

func TestOutOfMemoryHalvesTheBatchAndLosesNothing(t *testing.T) {
	for _, room := range []int{1, 2, 3, 5, 8, 20} {
		t.Run(fmt.Sprint("room for ", room), func(t *testing.T) {
			c := onnx.DefaultConfig()
			c.MaxBatch = 16
			want := openModel(t, oblong(t, nil), onnx.DefaultConfig())
			e := openModel(t, oblong(t, nil), c)
			device := &little{room: room}
			e.Through(device.run)
			pictures := make([]image.Image, 70)
			for i := range pictures {
				pictures[i] = speckled(20+i%7, 40-i%5, uint64(i))
			}
			got := make([]palate.Embedding, 0, len(pictures))
			pipeline := embedder.PipelineConfig{PrepareWorkers: 2, EmbedWorkers: 2, BatchSize: 16, Window: 64}
			stats, err := embedder.Run(context.Background(), e, pipeline, each(pictures), func(r embedder.Result) error {
				got = append(got, r.Embedding)
				return r.Err
			})
			if err != nil || stats.Embedded != len(pictures) {
				t.Fatalf("got %+v and %v, want all %d embedded", stats, err, len(pictures))
			}
			for i, img := range pictures {
				in, err := want.Prepare(img)
				if err != nil {
					t.Fatal(err)
				}
				alone, err := want.Embed(context.Background(), []embedder.Input{in})
				if err != nil || cosine(alone[0], got[i]) < 1-1e-5 {
					t.Errorf("picture %d: got another embedding than alone (%v)", i, err)
				}
			}
			if device.largest > room || device.refused > 0 && e.Batch() >= 16 {
				t.Errorf("got runs of up to %d and a limit of %d after %d refusals, there is room for %d", device.largest, e.Batch(), device.refused, room)
			}
			in, err := want.Prepare(pictures[0])
			if err != nil {
				t.Fatal(err)
			}
			if all, err := e.Embed(context.Background(), slices.Repeat([]embedder.Input{in}, 33)); err != nil || len(all) != 33 || cosine(all[32], got[0]) < 1-1e-5 {
				t.Errorf("33 of one picture: got %d embeddings and %v", len(all), err)
			}
			if limit := e.Batch(); limit > room {
				t.Errorf("got a limit of %d, there is room for %d", limit, room)
			}
		})
	}
}

func TestTheSuiteHoldsOnADeviceOfLittleMemory(t *testing.T) {
	c := onnx.DefaultConfig()
	c.MaxBatch = 8
	e := openModel(t, oblong(t, nil), c)
	e.Through((&little{room: 2}).run)
	embeddertest.Run(t, e)
}

func TestAPictureWithoutRoomIsUnavailable(t *testing.T) {
	e := openModel(t, oblong(t, nil), onnx.DefaultConfig())
	device := &little{}
	e.Through(device.run)
	in, err := e.Prepare(speckled(30, 30, 1))
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Embed(context.Background(), []embedder.Input{in, in, in})
	if got != nil || !errors.Is(err, palate.ErrUnavailable) || !errors.Is(err, ort.ErrOutOfMemory) {
		t.Errorf("got %d embeddings and %v, want palate.ErrUnavailable", len(got), err)
	}
	if _, err := e.Pipeline(context.Background()); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("Pipeline: got %v, want palate.ErrUnavailable", err)
	}
}

// On a device whose run takes as long for paying pictures as for one, but no
// longer shortens the time of a picture beyond, doubling stops there, or
// where memory ends.
func TestTheBatchIsDoubledAsLongAsItPays(t *testing.T) {
	for _, test := range []struct {
		name         string
		paying, room int
		want         int
	}{
		{"until it no longer pays", 8, math.MaxInt, 8},
		{"until memory runs out", 1 << 20, 9, 4}, // two in flight
		{"never", 1, math.MaxInt, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := openModel(t, oblong(t, nil), onnx.DefaultConfig())
			synctest.Test(t, func(t *testing.T) { // time is faked
				device := &little{room: test.room}
				turn := make(chan struct{}, 1) // it computes one batch at a time
				e.Through(func(inputs map[string]ort.Tensor, run func() (map[string]ort.Tensor, error)) (map[string]ort.Tensor, error) {
					return device.run(inputs, func() (map[string]ort.Tensor, error) {
						turn <- struct{}{}
						defer func() { <-turn }()
						steps := (int(inputs["in"].Shape[0]) + test.paying - 1) / test.paying
						time.Sleep(time.Duration(steps) * time.Second)
						return run()
					})
				})
				c, err := e.Pipeline(context.Background())
				if err != nil || c.BatchSize != test.want || c.EmbedWorkers != 2 || c.Window < 2*c.BatchSize {
					t.Errorf("got %+v and %v, want batches of %d, two in flight", c, err, test.want)
				}
				if e.Batch() != c.BatchSize {
					t.Errorf("got a limit of %d, want %d", e.Batch(), c.BatchSize)
				}
				start := time.Now()
				if again, err := e.Pipeline(context.Background()); err != nil || again != c || time.Since(start) > 0 {
					t.Errorf("asked again: got %+v and %v after %v, want the same at once", again, err, time.Since(start))
				}
			})
		})
	}
}

func TestOnTheCPUAsManyRunsAsCores(t *testing.T) {
	e := openModel(t, oblong(t, nil), onnx.DefaultConfig())
	c, err := e.Pipeline(context.Background())
	if want := embedder.DefaultPipelineConfig(); err != nil || c != want || c.BatchSize != 1 || e.Batch() != 1 {
		t.Errorf("got %+v and %v, want %+v", c, err, want)
	}
}

// slowModel takes minutes for a picture: a long row of matrix products.
func slowModel(t testing.TB) embedder.Model {
	g := patches(onnxgraph.Batched(3, 32, 32), false)
	last := g.Op("Resize", "large", []string{"patches", "", g.Const("scales", onnxgraph.Float32s([]int64{4}, []float32{1, 1, 256, 256}))})
	for i := range 400 {
		last = g.Op("MatMul", fmt.Sprint("product", i), []string{last, "large"})
	}
	g.Op("GlobalAveragePool", "out", []string{last})
	declare(g, onnxgraph.Batched(4, 1, 1))
	return embedder.Model{Graph: marshal(t, g), Description: description("slow", embedder.LayoutNCHW, embedder.PoolNone, embedder.FitCrop)}
}

func TestOpeningASlowModelEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := onnx.OpenModel(ctx, load(t), slowModel(t), onnx.DefaultConfig())
	// 400 products of 4 × 1024 × 1024 × 1024 are 3.4 Tflop: half a minute or more.
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v after %v, want context.DeadlineExceeded", err, time.Since(start))
	}
}

func TestCancelEndsARunInTheMiddle(t *testing.T) {
	e := openModel(t, oblong(t, nil), onnx.DefaultConfig())
	ctx, cancel := context.WithCancel(context.Background())
	var runs atomic.Int64
	e.Through(func(_ map[string]ort.Tensor, run func() (map[string]ort.Tensor, error)) (map[string]ort.Tensor, error) {
		if runs.Add(1) == 3 {
			cancel()
		}
		return run()
	})
	c := embedder.PipelineConfig{PrepareWorkers: 2, EmbedWorkers: 2, BatchSize: 1, Window: 8}
	pictures := make([]image.Image, 200)
	for i := range pictures {
		pictures[i] = speckled(20, 20, uint64(i))
	}
	stats, err := embedder.Run(ctx, e, c, each(pictures), func(embedder.Result) error { return nil })
	if !errors.Is(err, context.Canceled) || stats.Embedded >= len(pictures) || runs.Load() > 3+int64(c.EmbedWorkers) {
		t.Errorf("got %+v, %v and %d runs, want an end after the third", stats, err, runs.Load())
	}
}

func each(pictures []image.Image) iter.Seq2[embedder.Item, error] {
	return func(yield func(embedder.Item, error) bool) {
		for i, img := range pictures {
			open := func(_ context.Context, use func(image.Image) error) error { return use(img) }
			if !yield(embedder.Item{ID: palate.ImageID{byte(i)}, Open: open}, nil) {
				return
			}
		}
	}
}

func speckled(w, h int, seed uint64) image.Image {
	random := rand.New(rand.NewPCG(seed, 7))
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(random.UintN(256))
	}
	return img
}

func cosine(a, b palate.Embedding) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}
