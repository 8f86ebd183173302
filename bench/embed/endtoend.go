package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/picture"
)

// The files of the whole way: as pictures on the web are.
const (
	fileWidth   = 1600
	fileHeight  = 1200
	fileQuality = 88
	fileCount   = 6
)

// paint draws a picture of brush strokes whose direction and colour wander.
func paint(width, height int, seed uint64) image.Image {
	random := rand.New(rand.NewPCG(seed, 5))
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = 128
	}
	phase := 6 * random.Float64()
	for range 6000 {
		x, y := random.Float64()*float64(width), random.Float64()*float64(height)
		radius := 4 + 60*math.Pow(random.Float64(), 4)
		angle := 3*math.Sin(x/300+phase) + 2*math.Cos(y/200)
		sin, cos := math.Sincos(angle)
		colour := [3]float64{128 + 100*math.Sin(x/211+y/97+phase), 128 + 100*math.Sin(y/171+1), 128 + 100*math.Cos(x/333+phase)}
		for c := range colour {
			colour[c] += 40 * (random.Float64() - .5)
		}
		for along := -3 * radius; along <= 3*radius; along++ {
			for across := -int(radius / 3); across <= int(radius/3); across++ {
				at := image.Pt(int(x+along*cos-float64(across)*sin), int(y+along*sin+float64(across)*cos))
				if !at.In(m.Rect) {
					continue
				}
				bristle := 14*math.Sin(2.1*float64(across)+radius) + 5*(random.Float64()-.5)
				p := m.Pix[m.PixOffset(at.X, at.Y):]
				for c := range colour {
					p[c] = byte(min(255, max(0, colour[c]+bristle)))
				}
			}
		}
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}

func files() ([][]byte, error) {
	all := make([][]byte, fileCount)
	for i := range all {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, paint(fileWidth, fileHeight, uint64(i)), &jpeg.Options{Quality: fileQuality}); err != nil {
			return nil, err
		}
		all[i] = file.Bytes()
	}
	return all, nil
}

// wholeWay is the pipeline from files in memory to vectors.
type wholeWay struct {
	name     string
	embedder *onnx.Embedder
	files    [][]byte
	prepare  *contestant // decoding and preparing, on all cores
	infer    *contestant // the model, on all cores

	rates []rate
	// Rates of the parts: by one worker, the others idle, and by as many as
	// there are cores.
	aloneInfer, alonePrepare, busyInfer, busyPrepare []rate
	stats                                            embedder.Stats
}

func newWholeWay(name string, e *onnx.Embedder, infer *contestant, files [][]byte) *wholeWay {
	w := &wholeWay{name: name, embedder: e, files: files, infer: infer}
	var next atomic.Int64
	w.prepare = newContestant("prepare "+name, 0, func(context.Context) error {
		file := files[int(next.Add(1))%len(files)]
		img, _, err := picture.Read(bytes.NewReader(file), picture.DefaultLimits(), e.Reading())
		if err != nil {
			return err
		}
		_, err = e.Prepare(img)
		return err
	})
	return w
}

// fewest is how many pictures are counted at least: results come in order, so
// the first and the last may be off by some.
const fewest = 48

var errEnough = errors.New("enough was measured")

// measure notes the rate amid a run of the pipeline: what it takes to fill
// and to empty it is left out.
func (w *wholeWay) measure(ctx context.Context, window time.Duration) error {
	c, err := w.embedder.Pipeline(ctx)
	if err != nil {
		return err
	}
	source := func(yield func(embedder.Item, error) bool) {
		for i := 0; ; i++ {
			file := w.files[i%len(w.files)]
			open := func(_ context.Context, use func(image.Image) error) error {
				img, _, err := picture.Read(bytes.NewReader(file), picture.DefaultLimits(), w.embedder.Reading())
				if err != nil {
					return err
				}
				return use(img)
			}
			if !yield(embedder.Item{ID: palate.ImageID{byte(i), byte(i >> 8), byte(i >> 16)}, Open: open}, nil) {
				return
			}
		}
	}
	var watch stopwatch
	seen, skip := 0, c.Window
	stats, err := embedder.Run(ctx, w.embedder, c, source, func(r embedder.Result) error {
		if r.Err != nil {
			return r.Err
		}
		switch seen++; {
		case seen == skip:
			watch = newStopwatch()
		case seen >= skip+fewest && time.Since(watch.start) >= 3*window:
			w.rates = append(w.rates, watch.rate(seen-skip, w.infer.workers))
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		return fmt.Errorf("the whole way: %w", err)
	}
	w.stats = stats
	return w.measureParts(ctx, window)
}

// measureParts notes how often inference and preparation can be done, on one
// core with nothing else of ours running and on all cores.
func (w *wholeWay) measureParts(ctx context.Context, window time.Duration) error {
	for _, part := range []struct {
		what    *contestant
		workers int
		into    *[]rate
	}{
		{w.infer, 1, &w.aloneInfer}, {w.prepare, 1, &w.alonePrepare},
		{w.infer, w.infer.workers, &w.busyInfer}, {w.prepare, w.prepare.workers, &w.busyPrepare},
	} {
		r, err := part.what.measureWith(ctx, window, part.workers)
		if err != nil {
			return err
		}
		*part.into = append(*part.into, r)
	}
	return nil
}

// scaledCosine is the least cosine between the embeddings of a file decoded
// as small as the pipeline does and of the same file decoded whole.
func (w *wholeWay) scaledCosine(ctx context.Context) (float64, error) {
	least := 1.
	for _, file := range w.files {
		var inputs [2]embedder.Input
		whole := w.embedder.Reading()
		fast := picture.Reading{Rules: whole.Rules.Without(picture.JPEGWhole), Short: whole.Short}
		for i, reading := range []picture.Reading{fast, whole} {
			img, _, err := picture.Read(bytes.NewReader(file), picture.DefaultLimits(), reading)
			if err != nil {
				return 0, err
			}
			if inputs[i], err = w.embedder.Prepare(img); err != nil {
				return 0, err
			}
		}
		both, err := w.embedder.Embed(ctx, inputs[:])
		if err != nil {
			return 0, err
		}
		cosine := 0.
		for i, v := range both[0] {
			cosine += float64(v) * float64(both[1][i])
		}
		least = min(least, cosine)
	}
	return least, nil
}
