package embeddertest

import (
	"image"
	"image/color"
	"math/rand/v2"
)

func noise(w, h int, seed uint64) *image.NRGBA {
	random := rand.New(rand.NewPCG(seed, 1))
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(random.UintN(256))
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

func stripes(w, h, period int, upright bool) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			at, c := y, color.NRGBA{R: 230, G: 200, B: 40, A: 255}
			if upright {
				at = x
			}
			if at/period%2 == 1 {
				c = color.NRGBA{R: 20, G: 60, B: 120, A: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func gradient(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{R: byte(255 * x / w), G: byte(255 * y / h), B: 90, A: 255})
		}
	}
	return img
}
