package sketch

import (
	"fmt"
	"math"

	"github.com/palate-art/palate"
)

// Side is the length and the height of a sketch, whatever the shape of the
// picture.
const Side = 48

// ColourSide is the length and the height of what a sketch keeps of colours.
const ColourSide = 12

// Version tells sketches apart that were made in different ways. What former ones
// left in a catalog is deleted by a migration. Version 1 had no colours.
const Version = 2

// Sketch is a picture that was brought to Side × Side pixels: their brightness,
// from the top left, row by row, and then the colours of ColourSide ×
// ColourSide cells, first all Cb and then all Cr, each a signed byte: 0 is grey.
type Sketch [Side*Side + 2*ColourSide*ColourSide]byte

// Of makes a sketch of Side × Side pixels of red, green and blue, by the luma
// and the chroma of ITU-R BT.601.
func Of(rgb []byte) (*Sketch, error) {
	if len(rgb) != 3*Side*Side {
		return nil, fmt.Errorf("sketch: %d bytes, want those of %d × %d pixels: %w", len(rgb), Side, Side, palate.ErrInvalid)
	}
	s := new(Sketch)
	for i := range Side * Side {
		s[i] = byte((299*int(rgb[3*i]) + 587*int(rgb[3*i+1]) + 114*int(rgb[3*i+2]) + 500) / 1000)
	}
	const cell, pixels = Side / ColourSide, (Side / ColourSide) * (Side / ColourSide)
	for at := range ColourSide * ColourSide {
		left, top := at%ColourSide*cell, at/ColourSide*cell
		var sums [3]float64
		for y := top; y < top+cell; y++ {
			for x := left; x < left+cell; x++ {
				for c := range sums {
					sums[c] += float64(rgb[3*(y*Side+x)+c]) / pixels
				}
			}
		}
		r, g, b := sums[0], sums[1], sums[2]
		s[blueness+at] = signed(-.168736*r - .331264*g + .5*b)
		s[redness+at] = signed(.5*r - .418688*g - .081312*b)
	}
	return s, nil
}

// blueness and redness are where Cb and Cr begin.
const blueness, redness = Side * Side, Side*Side + ColourSide*ColourSide

// signed is a chroma as a sketch keeps it.
func signed(chroma float64) byte { return byte(int8(min(max(math.Round(chroma), -127), 127))) }

// Read takes a sketch that was kept as bytes; false if these are none.
func Read(pixels []byte) (*Sketch, bool) {
	if len(pixels) != len(Sketch{}) {
		return nil, false
	}
	return (*Sketch)(pixels), true
}

// area is a part of a sketch, in pixels.
type area struct{ left, top, width, height float64 }

var everything = area{0, 0, Side, Side}

// plane is what areas of a sketch are summed with.
type plane [Side + 1][Side + 1]int32

// newPlane gives, for every corner between pixels, the sum above and to the left
// of it.
func newPlane(at func(x, y int) int32) *plane {
	p := new(plane)
	for y := range Side {
		var row int32
		for x := range Side {
			row += at(x, y)
			p[y+1][x+1] = p[y][x+1] + row
		}
	}
	return p
}

// brightness is what cells of brightness are taken from.
func (s *Sketch) brightness() *plane {
	return newPlane(func(x, y int) int32 { return int32(s[y*Side+x]) })
}

// chroma is what cells of Cb and Cr are taken from.
func (s *Sketch) chroma() (planes [2]*plane) {
	const cell = Side / ColourSide
	for i, from := range []int{blueness, redness} {
		planes[i] = newPlane(func(x, y int) int32 { return int32(int8(s[from+y/cell*ColourSide+x/cell])) })
	}
	return planes
}

// cells appends the mean brightness of columns × rows cells of an area.
func (p *plane) cells(a area, columns, rows int, out []float32) []float32 {
	var x [maxCells + 1]int
	var fraction [maxCells + 1]float32
	for i := range columns + 1 {
		at := min(max(a.left+a.width*float64(i)/float64(columns), 0), Side)
		x[i] = min(int(at), Side-1)
		fraction[i] = float32(at - float64(x[i]))
	}
	var above, below [maxCells + 1]float32
	corners := func(j int, into *[maxCells + 1]float32) {
		at := min(max(a.top+a.height*float64(j)/float64(rows), 0), Side)
		y := min(int(at), Side-1)
		f := float32(at - float64(y))
		upper, lower := &p[y], &p[y+1]
		for i := range columns + 1 {
			l, r, g := x[i], x[i]+1, fraction[i]
			u := float32(upper[l]) + g*float32(upper[r]-upper[l])
			d := float32(lower[l]) + g*float32(lower[r]-lower[l])
			into[i] = u + f*(d-u)
		}
	}
	scale := float32(float64(columns*rows) / (a.width * a.height))
	corners(0, &above)
	for j := range rows {
		corners(j+1, &below)
		for i := range columns {
			out = append(out, (below[i+1]-below[i]-above[i+1]+above[i])*scale)
		}
		above = below
	}
	return out
}

// inner is the area without a frame of one colour; everything where there is
// none.
func (s *Sketch) inner() area {
	const most = Side * 3 / 10
	flat := func(at func(i int) byte, like int) (mean int, ok bool) {
		sum := 0
		for i := range Side {
			sum += int(at(i))
		}
		mean = sum / Side
		if like >= 0 && max(mean-like, like-mean) > frameDiffers {
			return 0, false
		}
		for i := range Side {
			if v := int(at(i)); max(v-mean, mean-v) > frameDiffers {
				return 0, false
			}
		}
		return mean, true
	}
	side := func(line func(n, i int) byte) int {
		like := -1
		for n := range most {
			mean, ok := flat(func(i int) byte { return line(n, i) }, like)
			if !ok {
				return n
			}
			like = mean
		}
		return most
	}
	top := side(func(n, i int) byte { return s[n*Side+i] })
	bottom := side(func(n, i int) byte { return s[(Side-1-n)*Side+i] })
	left := side(func(n, i int) byte { return s[i*Side+n] })
	right := side(func(n, i int) byte { return s[i*Side+Side-1-n] })
	return area{float64(left), float64(top), float64(Side - left - right), float64(Side - top - bottom)}
}

// frameDiffers is by how much, of 255, the pixels of a frame differ at most.
const frameDiffers = 6
