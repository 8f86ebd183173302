package embedder

import (
	"fmt"
	"image"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// Prepare brings one upright picture to the model's input: fitted, resized,
// (value/255 − mean) / std per channel, always planar. An empty picture is
// palate.ErrInvalid. It is safe for concurrent use and computes on the
// calling goroutine only.
func (d Description) Prepare(img image.Image) (Input, error) {
	if img == nil || img.Bounds().Empty() {
		return Input{}, fmt.Errorf("prepare a picture for %s: the picture is empty: %w", d.Name, palate.ErrInvalid)
	}
	rgb := picture.FromImage(img)
	wholeWidth, wholeHeight := rgb.Whole() // of one that was reduced as it came
	width, height := d.InputSize(wholeWidth, wholeHeight)
	shown := d.shown(wholeWidth, wholeHeight)
	w := d.window(wholeWidth, wholeHeight)
	rgb, err := picture.ResizeWindow(rgb, w.Width, w.Height, w.Part.Dx(), w.Part.Dy(), w.Filter)
	if err != nil {
		return Input{}, fmt.Errorf("prepare a picture for %s: %w", d.Name, err)
	}
	in := Input{Channels: 3, Height: height, Width: width, Pixels: make([]float32, 3*height*width), Shown: shown}
	d.normaliseInto(in, rgb)
	return in, nil
}

// window is what of a picture of that size is resized to what the model sees.
func (d Description) window(wholeWidth, wholeHeight int) picture.Window {
	width, height := d.InputSize(wholeWidth, wholeHeight)
	w, h := width, height
	switch {
	case d.Fit == FitCrop:
		w, h = picture.ShortSize(wholeWidth, wholeHeight, d.shortSide())
	case d.Fit == FitPad:
		w, h = insideSize(wholeWidth, wholeHeight, width, height)
	case d.Fit == FitStretch && d.ShortSide != 0:
		w, h = d.ShortSide, d.ShortSide
	}
	return picture.CenterWindow(w, h, min(w, width), min(h, height), picture.Filter(d.Resample))
}

// normaliseInto writes rgb into the middle of in. What it doesn't cover stays
// 0, which is the mean colour.
func (d Description) normaliseInto(in Input, rgb *picture.RGB) {
	var level [3][256]float32
	for c := range level {
		for v := range level[c] {
			level[c][v] = float32((float64(v)/255 - d.Mean[c]) / d.Std[c])
		}
	}
	left, top := (in.Width-rgb.Width)/2, (in.Height-rgb.Height)/2
	plane := in.Width * in.Height
	for y := range rgb.Height {
		row := rgb.Row(y)
		for c := range level {
			table, out := &level[c], in.Pixels[c*plane+(top+y)*in.Width+left:][:rgb.Width]
			for x := range out {
				out[x] = table[row[3*x+c]]
			}
		}
	}
}
