// Package copies makes copies of pictures as they are found beside each other:
// mirrored, in grey, cut, framed, compressed, resized, in other light. Tests and benchmarks of
// whatever tells copies from other pictures share them.
package copies

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/sketch"
)

// Kind is one way of copying.
type Kind struct {
	Name string
	Make func(random *rand.Rand, m *picture.RGB) (*picture.RGB, error)
}

func plain(f func(random *rand.Rand, m *picture.RGB) *picture.RGB) func(*rand.Rand, *picture.RGB) (*picture.RGB, error) {
	return func(random *rand.Rand, m *picture.RGB) (*picture.RGB, error) { return f(random, m), nil }
}

// Kinds are all ways.
var Kinds = []Kind{
	{"mirrored", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return mirrored(m) })},
	{"grey", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return grey(m) })},
	{"cut to 70 % of each side", plain(func(r *rand.Rand, m *picture.RGB) *picture.RGB { return cut(r, m, .7, .7) })},
	{"cut to 70 % of the area, another shape", plain(func(r *rand.Rand, m *picture.RGB) *picture.RGB {
		width := .72 + .26*r.Float64()
		return cut(r, m, width, .7/width)
	})},
	{"cut to 70 %, mirrored", plain(func(r *rand.Rand, m *picture.RGB) *picture.RGB { return mirrored(cut(r, m, .7, .7)) })},
	{"white frame", plain(func(r *rand.Rand, m *picture.RGB) *picture.RGB { return framed(m, .02+.13*r.Float64(), 255, 255, 255) })},
	{"dark frame", plain(func(r *rand.Rand, m *picture.RGB) *picture.RGB { return framed(m, .02+.13*r.Float64(), 60, 40, 25) })},
	{"framed, grey, mirrored", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return framed(grey(mirrored(m)), .1, 20, 20, 20) })},
	{"JPEG of quality 15", func(_ *rand.Rand, m *picture.RGB) (*picture.RGB, error) { return compressed(m, 15) }},
	{"resized to a fifth", func(_ *rand.Rand, m *picture.RGB) (*picture.RGB, error) {
		return picture.Resize(m, max(1, m.Width/5), max(1, m.Height/5))
	}},
	{"brighter, with less contrast", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return faded(m) })},
	{"in sepia", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return lit(grey(m), 1.07, .97, .79) })},
	{"in warm light", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return lit(m, 1.15, 1, .65) })},
	{"in cold light", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return lit(m, .7, .97, 1.2) })},
	{"with little of its colours", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return coloured(m, .35, 0) })},
	{"with stronger colours", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return coloured(m, 1.5, 0) })},
	{"darker, by a gamma of 1.4", plain(func(_ *rand.Rand, m *picture.RGB) *picture.RGB { return darker(m, 1.4) })},
}

// OtherColours is a picture of the same layout and brightness, each of its
// colours replaced by the one across the colour circle: another work, as the
// next print of a series is.
func OtherColours(m *picture.RGB) *picture.RGB { return coloured(m, .9, math.Pi*.8) }

// Sketch is the sketch of a picture.
func Sketch(m *picture.RGB) (*sketch.Sketch, error) {
	small, err := picture.Resize(m, sketch.Side, sketch.Side)
	if err != nil {
		return nil, err
	}
	return sketch.Of(small.Pix)
}

// Painting is a picture of soft blots: structure at the scale of a
// composition, of its own for each seed.
func Painting(seed uint64, width, height int) *picture.RGB {
	random := rand.New(rand.NewPCG(seed, 3))
	type blot struct{ x, y, size, r, g, b float64 }
	blots := make([]blot, 24)
	for i := range blots {
		blots[i] = blot{random.Float64(), random.Float64(), .04 + .08*random.Float64(), 255 * random.Float64(), 255 * random.Float64(), 255 * random.Float64()}
	}
	return made(width, height, func(x, y int) (byte, byte, byte) {
		var r, g, b, total float64
		for _, o := range blots {
			dx, dy := float64(x)/float64(width)-o.x, float64(y)/float64(height)-o.y
			w := math.Exp(-(dx*dx + dy*dy) / (2 * o.size * o.size))
			r, g, b, total = r+w*o.r, g+w*o.g, b+w*o.b, total+w
		}
		return byte(r / total), byte(g / total), byte(b / total)
	})
}

func made(width, height int, at func(x, y int) (r, g, b byte)) *picture.RGB {
	m := picture.NewRGB(width, height)
	for y := range height {
		row := m.Row(y)
		for x := range width {
			row[3*x], row[3*x+1], row[3*x+2] = at(x, y)
		}
	}
	return m
}

func pixel(m *picture.RGB, x, y int) (r, g, b byte) {
	row := m.Row(y)
	return row[3*x], row[3*x+1], row[3*x+2]
}

func mirrored(m *picture.RGB) *picture.RGB {
	return made(m.Width, m.Height, func(x, y int) (byte, byte, byte) { return pixel(m, m.Width-1-x, y) })
}

func grey(m *picture.RGB) *picture.RGB {
	return made(m.Width, m.Height, func(x, y int) (byte, byte, byte) {
		r, g, b := pixel(m, x, y)
		v := byte((299*int(r) + 587*int(g) + 114*int(b)) / 1000)
		return v, v, v
	})
}

func faded(m *picture.RGB) *picture.RGB {
	fade := func(v byte) byte { return byte(60 + int(v)*7/10) }
	return made(m.Width, m.Height, func(x, y int) (byte, byte, byte) {
		r, g, b := pixel(m, x, y)
		return fade(r), fade(g), fade(b)
	})
}

// lit is a picture whose channels are taken times factors.
func lit(m *picture.RGB, red, green, blue float64) *picture.RGB {
	return made(m.Width, m.Height, func(x, y int) (byte, byte, byte) {
		r, g, b := pixel(m, x, y)
		return clamped(float64(r) * red), clamped(float64(g) * green), clamped(float64(b) * blue)
	})
}

// coloured is a picture of the same brightness with its chroma taken times a
// strength and turned by an angle.
func coloured(m *picture.RGB, strength, angle float64) *picture.RGB {
	sin, cos := math.Sincos(angle)
	return made(m.Width, m.Height, func(x, y int) (byte, byte, byte) {
		r8, g8, b8 := pixel(m, x, y)
		r, g, b := float64(r8), float64(g8), float64(b8)
		luma := .299*r + .587*g + .114*b
		cb, cr := strength*(b-luma)/1.772, strength*(r-luma)/1.402
		cb, cr = cos*cb-sin*cr, sin*cb+cos*cr
		return clamped(luma + 1.402*cr), clamped(luma - .344136*cb - .714136*cr), clamped(luma + 1.772*cb)
	})
}

func darker(m *picture.RGB, gamma float64) *picture.RGB {
	darken := func(v byte) byte { return clamped(255 * math.Pow(float64(v)/255, gamma)) }
	return made(m.Width, m.Height, func(x, y int) (byte, byte, byte) {
		r, g, b := pixel(m, x, y)
		return darken(r), darken(g), darken(b)
	})
}

func clamped(v float64) byte { return byte(min(max(v+.5, 0), 255)) }

func cut(random *rand.Rand, m *picture.RGB, width, height float64) *picture.RGB {
	w, h := max(1, int(width*float64(m.Width))), max(1, int(height*float64(m.Height)))
	left, top := random.IntN(m.Width-w+1), random.IntN(m.Height-h+1)
	return made(w, h, func(x, y int) (byte, byte, byte) { return pixel(m, left+x, top+y) })
}

func framed(m *picture.RGB, share float64, r, g, b byte) *picture.RGB {
	width := max(1, int(share*float64(min(m.Width, m.Height))))
	return made(m.Width+2*width, m.Height+2*width, func(x, y int) (byte, byte, byte) {
		if x < width || y < width || x >= m.Width+width || y >= m.Height+width {
			return r, g, b
		}
		return pixel(m, x-width, y-width)
	})
}

func compressed(m *picture.RGB, quality int) (*picture.RGB, error) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("copies: %w", err)
	}
	out, _, err := picture.Decode(&file, picture.DefaultLimits())
	return out, err
}
