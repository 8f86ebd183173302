package report

import (
	"image"
	"image/color"
	"math"

	"github.com/palate-art/palate/internal/taste"
)

// The colours of what raises a picture's score and of what lowers it, as on
// the page.
var (
	likeColour    = color.NRGBA{0xc8, 0x37, 0x2d, 255}
	dislikeColour = color.NRGBA{0x3d, 0x5a, 0x80, 255}
)

const (
	strongest = .75 // how much of a colour covers the picture where it is most
	unseen    = .7  // how pale the picture is where the model did not see it
)

// HeatMap draws a heat over its upright picture: red where patches add more to
// the score than the picture's do on the average, blue where less, the
// stronger the more, between the middles of patches linearly. What the model
// did not see is pale.
func HeatMap(m image.Image, h taste.Heat) *image.RGBA {
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	var mean, most float64
	for _, v := range h.Patches {
		mean += v / float64(len(h.Patches))
	}
	for _, v := range h.Patches {
		most = max(most, math.Abs(v-mean))
	}
	for y := range b.Dy() {
		for x := range b.Dx() {
			under := color.NRGBAModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			// The middle of the pixel in patches.
			u := ((float64(x)+.5)/float64(b.Dx()) - h.Shown.MinX) / (h.Shown.MaxX - h.Shown.MinX) * float64(h.Columns)
			v := ((float64(y)+.5)/float64(b.Dy()) - h.Shown.MinY) / (h.Shown.MaxY - h.Shown.MinY) * float64(h.Rows)
			if u < 0 || v < 0 || u > float64(h.Columns) || v > float64(h.Rows) {
				out.Set(x, y, mix(under, color.NRGBA{255, 255, 255, 255}, unseen))
				continue
			}
			share := 0.
			if most > 0 {
				share = (between(h, u-.5, v-.5) - mean) / most
			}
			over := likeColour
			if share < 0 {
				over = dislikeColour
			}
			out.Set(x, y, mix(under, over, strongest*math.Abs(share)))
		}
	}
	return out
}

// between interpolates; at (0, 0) is the middle of the first patch.
func between(h taste.Heat, u, v float64) float64 {
	u, v = min(max(u, 0), float64(h.Columns-1)), min(max(v, 0), float64(h.Rows-1))
	column, row := min(int(u), max(0, h.Columns-2)), min(int(v), max(0, h.Rows-2))
	right, down := u-float64(column), v-float64(row)
	at := func(dx, dy int) float64 {
		return h.Patches[min(row+dy, h.Rows-1)*h.Columns+min(column+dx, h.Columns-1)]
	}
	return (1-down)*((1-right)*at(0, 0)+right*at(1, 0)) + down*((1-right)*at(0, 1)+right*at(1, 1))
}

func mix(under, over color.NRGBA, share float64) color.NRGBA {
	one := func(a, b uint8) uint8 { return uint8(math.Round((1-share)*float64(a) + share*float64(b))) }
	return color.NRGBA{one(under.R, over.R), one(under.G, over.G), one(under.B, over.B), 255}
}
