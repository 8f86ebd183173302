package finetune

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/safetensors"
)

// keptWindows is of how many windows of each picture the tokens are kept,
// where tokens are kept and windows shown.
const keptWindows = 2

// view is one way to show a picture: mirrored or not, all of it or a window.
// The zero view is the picture itself.
type view struct {
	mirror          bool
	window          int     // a number of its own for each that is kept; 0 is none
	side, left, top float64 // of a window, as shares of the picture; side 0 is all of it
}

// views says how pictures are shown, and keeps the tokens of those that were
// where the plan keeps tokens, as float16.
type views struct {
	config Config
	left   int64 // bytes that may still be kept
	tokens map[viewOf][]uint16
}

type viewOf struct {
	picture int
	mirror  bool
	window  int
}

func newViews(config Config) *views {
	return &views{config, config.CacheBytes, make(map[viewOf][]uint16)}
}

// shown gives pictures as a step is to see them.
func (f *fit) shown(ctx context.Context, pictures []int, random *rand.Rand) ([][]float32, error) {
	drawn := make([]view, len(pictures))
	for k, i := range pictures {
		v := &drawn[k]
		v.mirror = f.config.Mirror && random.IntN(2) == 1
		if f.config.Crop == 0 {
			continue
		}
		if f.plan.Tokens { // one of few, the same in every epoch
			if v.window = random.IntN(keptWindows + 1); v.window > 0 {
				v.draw(f.config.Crop, rand.New(rand.NewPCG(f.config.Seed, uint64(i)<<8|uint64(v.window))))
			}
			continue
		}
		v.draw(f.config.Crop, random)
	}
	return f.seen(ctx, pictures, drawn)
}

// draw draws a window.
func (v *view) draw(least float64, random *rand.Rand) {
	v.side = least + (1-least)*random.Float64()
	v.left, v.top = (1-v.side)*random.Float64(), (1-v.side)*random.Float64()
}

// seen gives pictures in views as the training graph takes them: pixels, or
// the tokens before the first trained block.
func (f *fit) seen(ctx context.Context, pictures []int, as []view) ([][]float32, error) {
	out := make([][]float32, len(pictures))
	var missing []int
	var pixels [][]float32
	for k, i := range pictures {
		if f.plan.Tokens {
			if kept, there := f.views.tokens[viewOf{i, as[k].mirror, as[k].window}]; there {
				out[k] = unpacked(kept)
				continue
			}
		}
		picture, err := f.data.Pictures.Pixels(ctx, i)
		if err != nil {
			return nil, err
		}
		missing, pixels = append(missing, k), append(pixels, as[k].of(picture, f.model.Width, f.model.Height))
	}
	if !f.plan.Tokens {
		return pixels, nil
	}
	tokens, err := f.Tokens(ctx, pixels)
	if err != nil {
		return nil, err
	}
	for n, k := range missing {
		// What is not kept is rounded as well: no result depends on the bound.
		kept := packed(tokens[n])
		out[k] = unpacked(kept)
		if bytes := int64(2 * len(kept)); bytes <= f.views.left {
			f.views.left -= bytes
			f.views.tokens[viewOf{pictures[k], as[k].mirror, as[k].window}] = kept
		}
	}
	return out, nil
}

func packed(values []float32) []uint16 {
	out := make([]uint16, len(values))
	for i, v := range values {
		out[i] = onnxgraph.Float16Bits(v)
	}
	return out
}

func unpacked(values []uint16) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = safetensors.Float16(v)
	}
	return out
}

// of shows pixels, [3, height, width], in this view.
func (v view) of(pixels []float32, width, height int) []float32 {
	if v.side > 0 {
		pixels = v.windowOf(pixels, width, height)
	}
	if v.mirror {
		pixels = mirrored(pixels, width)
	}
	return pixels
}

// mirrored exchanges left and right of [3, height, width].
func mirrored(pixels []float32, width int) []float32 {
	out := slices.Clone(pixels)
	for row := range slices.Chunk(out, width) {
		slices.Reverse(row)
	}
	return out
}

// windowOf brings a window to the size of the whole, linearly between pixels.
func (v view) windowOf(pixels []float32, width, height int) []float32 {
	out := make([]float32, len(pixels))
	columns, rows := v.places(v.left, width), v.places(v.top, height)
	for c := range 3 {
		plane, into := pixels[c*width*height:], out[c*width*height:]
		for y, r := range rows {
			for x, l := range columns {
				upper := plane[r.low*width+l.low]*(1-l.share) + plane[r.low*width+l.high]*l.share
				lower := plane[r.high*width+l.low]*(1-l.share) + plane[r.high*width+l.high]*l.share
				into[y*width+x] = upper*(1-r.share) + lower*r.share
			}
		}
	}
	return out
}

// place lies between two pixels.
type place struct {
	low, high int
	share     float32 // of high
}

// places gives, for each pixel of a line, where in the whole line it is from.
func (v view) places(begin float64, length int) []place {
	out := make([]place, length)
	for i := range out {
		at := (begin+v.side*(float64(i)+.5)/float64(length))*float64(length) - .5
		at = min(max(at, 0), float64(length-1))
		low := int(math.Floor(at))
		out[i] = place{low, min(low+1, length-1), float32(at - float64(low))}
	}
	return out
}
