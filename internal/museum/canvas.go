package museum

import (
	"image"
	"math"
)

// colour is sRGB, each channel 0 to 255.
type colour [3]float64

// mix goes from a to b as t goes from 0 to 1.
func mix(a, b colour, t float64) colour {
	return colour{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t, a[2] + (b[2]-a[2])*t}
}

// lighter adds the same amount to every channel; what leaves the range is
// cut when it is painted.
func (c colour) lighter(by float64) colour {
	return colour{c[0] + by, c[1] + by, c[2] + by}
}

type point struct{ x, y float64 }

// canvas is what the styles paint on, in pixels from the top left. Every
// shape is antialiased from its distance to the pixel's centre.
type canvas struct {
	img  *image.RGBA
	w, h float64
	size float64 // geometric mean of the sides: the unit of brush and distance
}

func newCanvas(width, height int) *canvas {
	return &canvas{
		img: image.NewRGBA(image.Rect(0, 0, width, height)),
		w:   float64(width), h: float64(height),
		size: math.Sqrt(float64(width * height)),
	}
}

// blend lays c over one pixel's four bytes; alpha is 0 to 1.
func blend(pix []uint8, c *[3]int32, alpha float64) {
	if alpha >= 1 {
		pix[0], pix[1], pix[2] = uint8(c[0]), uint8(c[1]), uint8(c[2])
		return
	}
	a := int32(alpha * 256)
	for i := range c {
		pix[i] = uint8(int32(pix[i]) + (c[i]-int32(pix[i]))*a>>8)
	}
}

// clamp rounds to a byte. Comparing integers, not floats, spares the
// built-ins' care for NaN, which shows for millions of pixels.
func clamp(v float64) uint8 {
	n := int32(v + .5)
	if n < 0 {
		return 0
	}
	if n > 255 {
		return 255
	}
	return uint8(n)
}

func bytesOf(c colour) [3]int32 {
	var b [3]int32
	for i, v := range c {
		b[i] = int32(clamp(v))
	}
	return b
}

// paint sets every pixel from its centre.
func (c *canvas) paint(at func(x, y float64) colour) {
	pix := c.img.Pix
	for y, i := 0.5, 0; y < c.h; y++ {
		for x := 0.5; x < c.w; x, i = x+1, i+4 {
			col := at(x, y)
			p := pix[i : i+4 : i+4]
			p[0], p[1], p[2], p[3] = clamp(col[0]), clamp(col[1]), clamp(col[2]), 255
		}
	}
}

func (c *canvas) fill(col colour) {
	b := bytesOf(col)
	pix := c.img.Pix
	for i := 0; i < len(pix); i += 4 {
		pix[i], pix[i+1], pix[i+2], pix[i+3] = uint8(b[0]), uint8(b[1]), uint8(b[2]), 255
	}
}

// row covers the pixels of row y between x0 and x1 by what cover says.
func (c *canvas) row(y int, x0, x1 float64, col *[3]int32, alpha float64, cover func(x float64) float64) {
	from, to := max(int(x0), 0), min(int(x1)+1, int(c.w))
	line := c.img.Pix[y*c.img.Stride:]
	for x := from; x < to; x++ {
		if a := cover(float64(x) + .5); a >= 1 {
			blend(line[4*x:4*x+4], col, alpha)
		} else if a > 0 {
			blend(line[4*x:4*x+4], col, a*alpha)
		}
	}
}

// rows calls f for each row that [y0, y1] touches, with its centre.
func (c *canvas) rows(y0, y1 float64, f func(row int, y float64)) {
	for y := max(int(y0), 0); y < min(int(y1)+1, int(c.h)); y++ {
		f(y, float64(y)+.5)
	}
}

// disc is a filled circle.
func (c *canvas) disc(cx, cy, r float64, col colour, alpha float64) {
	b := bytesOf(col)
	c.rows(cy-r-1, cy+r+1, func(row int, y float64) {
		dy := y - cy
		half := math.Sqrt(max((r+1)*(r+1)-dy*dy, 0))
		c.row(row, cx-half, cx+half, &b, alpha, func(x float64) float64 {
			return r + .5 - math.Sqrt((x-cx)*(x-cx)+dy*dy)
		})
	})
}

// line is a stroke with round ends, half the width on each side.
func (c *canvas) line(p, q point, width float64, col colour, alpha float64) {
	b := bytesOf(col)
	half := width / 2
	dx, dy := q.x-p.x, q.y-p.y
	length := math.Hypot(dx, dy)
	if length < 1e-9 {
		c.disc(p.x, p.y, half, col, alpha)
		return
	}
	dx, dy = dx/length, dy/length
	reach := half + 1
	left, right := min(p.x, q.x)-reach, max(p.x, q.x)+reach
	// A stroke thinner than a pixel is fainter, not thinner.
	alpha *= min(width, 1)
	half = max(half, .5)
	c.rows(min(p.y, q.y)-reach, max(p.y, q.y)+reach, func(row int, y float64) {
		x0, x1 := left, right
		if math.Abs(dy) > .05 {
			mid := p.x + (y-p.y)*dx/dy
			x0, x1 = max(x0, mid-reach/math.Abs(dy)-1), min(x1, mid+reach/math.Abs(dy)+1)
		}
		c.row(row, x0, x1, &b, alpha, func(x float64) float64 {
			along := min(max((x-p.x)*dx+(y-p.y)*dy, 0), length)
			ex, ey := x-p.x-along*dx, y-p.y-along*dy
			return half + .5 - math.Sqrt(ex*ex+ey*ey)
		})
	})
}

// polygon is a filled convex polygon, its corners clockwise on the screen.
func (c *canvas) polygon(corners []point, col colour, alpha float64) {
	b := bytesOf(col)
	type edge struct{ nx, ny, d float64 }
	edges := make([]edge, 0, len(corners))
	left, right, top, bottom := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for i, p := range corners {
		q := corners[(i+1)%len(corners)]
		l := max(math.Hypot(q.x-p.x, q.y-p.y), 1e-9)
		nx, ny := (q.y-p.y)/l, -(q.x-p.x)/l
		edges = append(edges, edge{nx, ny, nx*p.x + ny*p.y})
		left, right = min(left, p.x), max(right, p.x)
		top, bottom = min(top, p.y), max(bottom, p.y)
	}
	c.rows(top-1, bottom+1, func(row int, y float64) {
		c.row(row, left-1, right+1, &b, alpha, func(x float64) float64 {
			outside := math.Inf(-1)
			for _, e := range edges {
				outside = max(outside, e.nx*x+e.ny*y-e.d)
			}
			return .5 - outside
		})
	})
}

// rect is an upright rectangle.
func (c *canvas) rect(x0, y0, x1, y1 float64, col colour, alpha float64) {
	c.polygon([]point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}, col, alpha)
}

// bar is a rectangle about (cx, cy), turned clockwise by angle.
func (c *canvas) bar(cx, cy, length, width, angle float64, col colour, alpha float64) {
	ux, uy := math.Cos(angle)*length/2, math.Sin(angle)*length/2
	vx, vy := -math.Sin(angle)*width/2, math.Cos(angle)*width/2
	c.polygon([]point{
		{cx - ux - vx, cy - uy - vy}, {cx + ux - vx, cy + uy - vy},
		{cx + ux + vx, cy + uy + vy}, {cx - ux + vx, cy - uy + vy},
	}, col, alpha)
}

// blob is a filled shape whose edge lies at radius(angle) from the centre;
// radius is given for equally spaced angles.
func (c *canvas) blob(cx, cy float64, radius []float64, col colour, alpha float64) {
	b := bytesOf(col)
	var reach float64
	for _, r := range radius {
		reach = max(reach, r+1)
	}
	n := float64(len(radius))
	c.rows(cy-reach, cy+reach, func(row int, y float64) {
		half := math.Sqrt(max(reach*reach-(y-cy)*(y-cy), 0))
		c.row(row, cx-half, cx+half, &b, alpha, func(x float64) float64 {
			turn := (math.Atan2(y-cy, x-cx)/(2*math.Pi) + 1) * n
			whole := math.Floor(turn)
			i, t := int(whole)%len(radius), turn-whole
			r := radius[i]*(1-t) + radius[(i+1)%len(radius)]*t
			return r + .5 - math.Hypot(x-cx, y-cy)
		})
	})
}
