package vit

import (
	"fmt"
	"math"

	"github.com/palate-art/palate"
)

// Resampling is a rule by which a position embedding made for one grid of
// patches comes to another. It changes what a model computes.
type Resampling string

// The rules, named for whose they are. Both are bicubic, by size, with the
// samples at the middles of the patches.
//
// ResampleAntialias is timm's, Meta's for DINOv2 with registers and that of
// transformers for the same: Keys' kernel with a = -1/2, made wider where the
// grid gets smaller, its weights brought to a sum of 1 at the edges.
//
// ResampleCubic is that of transformers for DINOv2 and ViT: Keys' kernel with
// a = -3/4 on the four nearest samples, the edge repeated.
//
// (Keys, "Cubic convolution interpolation for digital image processing",
// 1981; the settings are those of torch.nn.functional.interpolate.)
const (
	ResampleAntialias Resampling = "timm"
	ResampleCubic     Resampling = "transformers"
)

func (r Resampling) validate() error {
	if r != ResampleAntialias && r != ResampleCubic {
		return fmt.Errorf("position resampling %q is none of %q, %q: %w", r, ResampleAntialias, ResampleCubic, palate.ErrInvalid)
	}
	return nil
}

// keys is the cubic convolution kernel.
func keys(x, a float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return a * (((x-5)*x+8)*x - 4)
	}
	return 0
}

// tap is one sample's share in a resampled one.
type tap struct {
	at     int
	weight float64
}

// taps gives, for each of out samples, its shares of in samples.
func (r Resampling) taps(in, out int) [][]tap {
	all := make([][]tap, out)
	scale := float64(in) / float64(out)
	for o := range all {
		centre := scale * (float64(o) + 0.5)
		if r == ResampleCubic {
			first := int(math.Floor(centre-0.5)) - 1
			for i := first; i < first+4; i++ {
				at := min(max(i, 0), in-1)
				all[o] = append(all[o], tap{at, keys(centre-0.5-float64(i), -0.75)})
			}
			continue
		}
		widen := max(scale, 1)
		first := max(int(centre-2*widen+0.5), 0)
		last := min(int(centre+2*widen+0.5), in)
		sum := 0.0
		for i := first; i < last; i++ {
			w := keys((float64(i)+0.5-centre)/widen, -0.5)
			all[o], sum = append(all[o], tap{i, w}), sum+w
		}
		for t := range all[o] {
			all[o][t].weight /= sum
		}
	}
	return all
}

// resample brings a grid of vectors, row by row, [rows·columns, dim], to
// another grid.
func (r Resampling) resample(grid []float32, dim, rows, columns, toRows, toColumns int) []float32 {
	if rows == toRows && columns == toColumns {
		return grid
	}
	return resampleWith(r.taps, grid, dim, rows, columns, toRows, toColumns)
}

func resampleWith(taps func(in, out int) [][]tap, grid []float32, dim, rows, columns, toRows, toColumns int) []float32 {
	out := make([]float32, 0, toRows*toColumns*dim)
	vertical, horizontal := taps(rows, toRows), taps(columns, toColumns)
	line, sum := make([]float64, columns*dim), make([]float64, dim)
	for _, shares := range vertical {
		clear(line)
		for _, t := range shares {
			for i, v := range grid[t.at*columns*dim:][:columns*dim] {
				line[i] += t.weight * float64(v)
			}
		}
		for _, shares := range horizontal {
			clear(sum)
			for _, t := range shares {
				for d, v := range line[t.at*dim:][:dim] {
					sum[d] += t.weight * v
				}
			}
			for _, v := range sum {
				out = append(out, float32(v))
			}
		}
	}
	return out
}
