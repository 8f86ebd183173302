package embedder_test

import (
	"context"
	"image"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
)

// shaped is a slow model of inputs with the picture's shape, one shape a run.
// It notes the size of every run.
type shaped struct {
	thumbnail
	mu   *sync.Mutex
	runs *[]int
	bad  *int
}

func (e shaped) Embed(ctx context.Context, inputs []embedder.Input) ([]palate.Embedding, error) {
	time.Sleep(time.Second)
	e.mu.Lock()
	defer e.mu.Unlock()
	*e.runs = append(*e.runs, len(inputs))
	all := make([]palate.Embedding, len(inputs))
	for i, in := range inputs {
		if in.Width != inputs[0].Width || in.Height != inputs[0].Height {
			*e.bad++
		}
		all[i] = make(palate.Embedding, e.Dim())
		all[i][in.Width%e.Dim()] = 1
	}
	return all, ctx.Err()
}

func TestBatchesAreOfOneShapeAndFill(t *testing.T) {
	shapes := []image.Point{{90, 60}, {60, 90}, {60, 60}, {300, 100}}
	synctest.Test(t, func(t *testing.T) {
		e := shaped{newThumbnail(), new(sync.Mutex), new([]int), new(int)}
		e.Description = whole(64, 8)
		source := func(yield func(embedder.Item, error) bool) {
			for i := range 200 {
				item := embedder.Item{ID: palate.ImageID{byte(i)}, Open: func(_ context.Context, use func(image.Image) error) error {
					time.Sleep(time.Millisecond)
					return use(image.NewGray(image.Rectangle{Max: shapes[i*i%7%len(shapes)]}))
				}}
				if !yield(item, nil) {
					return
				}
			}
		}
		next := 0
		c := embedder.PipelineConfig{PrepareWorkers: 2, EmbedWorkers: 2, BatchSize: 8, Window: 64}
		stats, err := embedder.Run(context.Background(), e, c, source, func(r embedder.Result) error {
			w, _ := e.InputSize(shapes[next*next%7%len(shapes)].X, shapes[next*next%7%len(shapes)].Y)
			if int(r.ID[0]) != next || r.Embedding[w%e.Dim()] != 1 {
				t.Errorf("got %v at place %d, or another's embedding", r.ID, next)
			}
			next++
			return r.Err
		})
		if err != nil || stats.Embedded != 200 || *e.bad != 0 {
			t.Errorf("got %+v and %v, %d inputs in runs of another shape", stats, err, *e.bad)
		}
		if runs := len(*e.runs); runs > 200/8*3/2 {
			t.Errorf("got %d runs for 200 pictures in batches of 8: %v", runs, *e.runs)
		}
	})
}
