package picture

import (
	"image"
	"image/color"
)

// RGB is an opaque picture of eight bits a channel: 3×Width×Height bytes,
// row by row from the top left, red, green, blue, without padding. It is an
// image.Image; its bounds begin at (0, 0).
type RGB struct {
	Pix           []byte
	Width, Height int

	// Of a picture that was reduced while it was decoded: what of it this is,
	// and the size of all of it.
	reducedTo               *Window
	wholeWidth, wholeHeight int
}

// Whole is the size of the picture as it was decoded: of one that was reduced
// to a window as it came (Reading.Window) that of the picture before.
func (m *RGB) Whole() (width, height int) {
	if m.reducedTo != nil {
		return m.wholeWidth, m.wholeHeight
	}
	return m.Width, m.Height
}

// NewRGB makes a black picture. It panics when a side is negative.
func NewRGB(width, height int) *RGB {
	if width < 0 || height < 0 {
		panic("picture: NewRGB with a negative side")
	}
	return &RGB{Pix: make([]byte, 3*width*height), Width: width, Height: height}
}

// ColorModel is color.RGBAModel.
func (m *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds begin at (0, 0).
func (m *RGB) Bounds() image.Rectangle { return image.Rect(0, 0, m.Width, m.Height) }

// At gives the colour at (x, y), transparent black outside the picture.
func (m *RGB) At(x, y int) color.Color { return m.RGBAAt(x, y) }

// RGBAAt is At without an interface around the colour.
func (m *RGB) RGBAAt(x, y int) color.RGBA {
	if uint(x) >= uint(m.Width) || uint(y) >= uint(m.Height) {
		return color.RGBA{}
	}
	p := m.Pix[3*(y*m.Width+x):][:3:3]
	return color.RGBA{R: p[0], G: p[1], B: p[2], A: 255}
}

// RGBA64At lets image/draw read the picture without allocating.
func (m *RGB) RGBA64At(x, y int) color.RGBA64 {
	c := m.RGBAAt(x, y)
	return color.RGBA64{R: uint16(c.R) * 257, G: uint16(c.G) * 257, B: uint16(c.B) * 257, A: uint16(c.A) * 257}
}

// Opaque is always true.
func (m *RGB) Opaque() bool { return true }

// Row is the y-th row, 3×Width bytes that share memory with the picture.
func (m *RGB) Row(y int) []byte {
	n := 3 * m.Width
	return m.Pix[y*n : (y+1)*n : (y+1)*n]
}
