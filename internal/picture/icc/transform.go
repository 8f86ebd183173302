package icc

import (
	"math"
	"sync"
)

// Transform brings pixels of one profile to sRGB. It is safe for concurrent
// use.
type Transform struct {
	space    Space
	identity bool

	grey *[256][3]byte

	// Of a matrix profile: light of each channel's level, and the matrix to
	// sRGB's light.
	light  *[3][256]float32
	matrix [3][3]float32

	// Of tables: sRGB at the nodes of a finer or equal grid.
	grid *byteGrid
}

// Identity reports whether the pixels are in sRGB already, to a level.
func (t *Transform) Identity() bool { return t.identity }

// Space is what the transform begins with.
func (t *Transform) Space() Space { return t.space }

// xyzToSRGB is the inverse of sRGB's primaries (IEC 61966-2-1), brought to a
// white of D50 by Bradford's transform.
var xyzToSRGB = [3][3]float64{
	{3.1338561, -1.6168667, -0.4906146},
	{-0.9787684, 1.9161415, 0.0334540},
	{0.0719453, -0.2289914, 1.4052427},
}

// encode is sRGB's curve: light 0 … 1 to a level 0 … 1.
func encode(v float64) float64 {
	v = hold(v)
	if v <= 0.0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// encoded has the level of light in steps fine enough for the darkest.
var encoded = sync.OnceValue(func() *[encodedSteps + 1]byte {
	table := new([encodedSteps + 1]byte)
	for i := range table {
		table[i] = byte(math.Round(255 * encode(float64(i)/encodedSteps)))
	}
	return table
})

const encodedSteps = 1 << 15

// ToSRGB makes the transform of a profile. The error says why it can't be
// used.
func (p *Profile) ToSRGB() (*Transform, error) {
	stages, err := p.toXYZ()
	if err != nil {
		return nil, err
	}
	through := func(v []float64) []float64 {
		for _, s := range stages {
			v = s(v)
		}
		return v
	}
	scale, add := p.blackPoint(through)
	whole := func(v ...float64) [3]float64 {
		xyz := through(v)
		for i := range xyz {
			xyz[i] = xyz[i]*scale[i] + add[i]
		}
		rgb := multiply(&xyzToSRGB, xyz)
		return [3]float64{encode(rgb[0]), encode(rgb[1]), encode(rgb[2])}
	}
	t := &Transform{space: p.space}
	switch {
	case p.space == Grey:
		t.grey = new([256][3]byte)
		t.identity = true
		for i := range t.grey {
			rgb := whole(float64(i) / 255)
			for c, v := range rgb {
				t.grey[i][c] = byte(math.Round(255 * v))
				t.identity = t.identity && math.Abs(255*v-float64(i)) <= 1
			}
		}
	case p.space == RGB && p.tags["A2B0"] == nil:
		p.byMatrix(t)
		t.identity = t.isNear()
	default:
		t.grid = resample(p.space.channels(), whole)
		t.identity = p.space == RGB && t.isNear()
	}
	return t, nil
}

// blackPoint scales XYZ so that a device's black is black: Little CMS does so
// for perceptual intent whenever a profile of version 4 takes part, as its sRGB
// is.
func (p *Profile) blackPoint(through func([]float64) []float64) (scale, add [3]float64) {
	black := whiteD50
	switch {
	case p.version >= 4 && p.tags["A2B0"] != nil:
		black = [3]float64{0.00336, 0.0034731, 0.00287} // perceptual black of version 4
	default:
		darkest := make([]float64, p.space.channels())
		if p.space == CMYK {
			darkest = []float64{1, 1, 1, 1}
		}
		black = [3]float64(through(darkest))
		if lightness(black[1]) > 50 {
			black = [3]float64{}
		}
	}
	for i, white := range whiteD50 {
		scale[i] = white / (white - black[i])
		add[i] = -white * black[i] / (white - black[i])
	}
	return scale, add
}

// lightness is L* of Y.
func lightness(y float64) float64 {
	if y > 216./24389 {
		return 116*math.Cbrt(y) - 16
	}
	return max(y, 0) * 24389 / 27
}

func (p *Profile) byMatrix(t *Transform) {
	t.light = new([3][256]float32)
	var columns [3][3]float64
	for c, name := range []string{"r", "g", "b"} {
		curve, _ := p.curve(name + "TRC") // both were read before
		for i := range 256 {
			t.light[c][i] = float32(curve(float64(i) / 255))
		}
		tag := p.tags[name+"XYZ"]
		column := multiply(&xyzToSRGB, []float64{fixed(tag[8:]), fixed(tag[12:]), fixed(tag[16:])})
		for row := range 3 {
			columns[row][c] = column[row]
		}
	}
	for row := range 3 {
		for c := range 3 {
			t.matrix[row][c] = float32(columns[row][c])
		}
	}
}

// isNear tries a grid of colours.
func (t *Transform) isNear() bool {
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				pixel := []byte{byte(r), byte(g), byte(b)}
				t.convert(pixel)
				if far(pixel[0], r) || far(pixel[1], g) || far(pixel[2], b) {
					return false
				}
			}
		}
	}
	return true
}

func far(got byte, want int) bool { return int(got) > want+1 || int(got) < want-1 }

// RGB converts pixels of three bytes in place: of RGB, or of grey whose three
// are equal.
func (t *Transform) RGB(pixels []byte) {
	if !t.identity {
		t.convert(pixels)
	}
}

func (t *Transform) convert(pixels []byte) {
	switch {
	case t.grey != nil:
		for i := 0; i+2 < len(pixels); i += 3 {
			copy(pixels[i:i+3], t.grey[pixels[i]][:])
		}
	case t.light != nil:
		t.convertLight(pixels)
	default:
		for i := 0; i+2 < len(pixels); i += 3 {
			t.grid.rgb(pixels[i : i+3 : i+3])
		}
	}
}

func (t *Transform) convertLight(pixels []byte) {
	table, m := encoded(), &t.matrix
	level := func(v float32) byte {
		return table[int(min(max(v*encodedSteps+.5, 0), encodedSteps))]
	}
	var last [3]byte
	var its [3]byte
	known := false
	for i := 0; i+2 < len(pixels); i += 3 {
		p := pixels[i : i+3 : i+3]
		if known && p[0] == last[0] && p[1] == last[1] && p[2] == last[2] {
			p[0], p[1], p[2] = its[0], its[1], its[2]
			continue
		}
		last, known = [3]byte{p[0], p[1], p[2]}, true
		r, g, b := t.light[0][p[0]], t.light[1][p[1]], t.light[2][p[2]]
		its = [3]byte{level(m[0][0]*r + m[0][1]*g + m[0][2]*b), level(m[1][0]*r + m[1][1]*g + m[1][2]*b), level(m[2][0]*r + m[2][1]*g + m[2][2]*b)}
		p[0], p[1], p[2] = its[0], its[1], its[2]
	}
}

// CMYK writes the pixels of dst, three bytes each, from those of ink, four
// bytes each, where 255 is all of an ink.
func (t *Transform) CMYK(dst, ink []byte) {
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+4 {
		t.grid.cmyk(dst[i:i+3:i+3], ink[j:j+4:j+4])
	}
}
