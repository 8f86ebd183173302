package embedder

import (
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// InputSize is the size in pixels of the input that a picture of width ×
// height, each at least 1, is prepared to. It is the description's but for
// FitWhole. There the sides are the multiples whose ratio is nearest to the
// picture's, among those whose area is within an eighth of the description's
// and whose sides are at most four times its sides: a picture longer than
// about 16:1 is squeezed to that. Of equally near ones it is the one of the
// nearest area, so pictures of one ratio have one size.
func (d Description) InputSize(width, height int) (w, h int) {
	if d.Fit != FitWhole {
		return d.Input.Width, d.Input.Height
	}
	multiple, ratio := d.Input.Multiple, float64(width)/float64(height)
	area := d.Input.Width / multiple * (d.Input.Height / multiple)
	bestMiss, bestOff := math.Inf(1), 0
	for c := 1; c <= 9*area/8; c++ {
		for r := max(1, 7*area/8/c); 8*c*r <= 9*area; r++ {
			if !d.takes(c*multiple, r*multiple) {
				continue
			}
			miss := math.Abs(math.Log(float64(c) / float64(r) / ratio))
			off := max(c*r-area, area-c*r)
			if miss < bestMiss-1e-12 || miss < bestMiss+1e-12 && off < bestOff {
				w, h, bestMiss, bestOff = c*multiple, r*multiple, miss, off
			}
		}
	}
	return w, h
}

// maxStretch is how many times longer than the description's a side may be.
const maxStretch = 4

// takes reports whether Prepare makes inputs of this size.
func (d Description) takes(w, h int) bool {
	want := d.Input
	if d.Fit != FitWhole {
		return w == want.Width && h == want.Height
	}
	if w < 1 || h < 1 || w > min(maxStretch*want.Width, maxInputSide) || h > min(maxStretch*want.Height, maxInputSide) {
		return false
	}
	area, wantArea := w*h, want.Width*want.Height
	return w%want.Multiple == 0 && h%want.Multiple == 0 && 8*area >= 7*wantArea && 8*area <= 9*wantArea
}

// Check refuses, as palate.ErrInvalid, inputs that Prepare doesn't make:
// those of another shape and those with a value that is not finite.
func (d Description) Check(in Input) error {
	if in.Channels != 3 || !d.takes(in.Width, in.Height) {
		wants := fmt.Sprintf("[3, %d, %d]", d.Input.Height, d.Input.Width)
		if d.Fit == FitWhole {
			wants += fmt.Sprintf(" or about that area in multiples of %d", d.Input.Multiple)
		}
		return fmt.Errorf("the input is [%d, %d, %d], the model takes %s: %w", in.Channels, in.Height, in.Width, wants, palate.ErrInvalid)
	}
	if len(in.Pixels) != 3*in.Height*in.Width {
		return fmt.Errorf("the input has %d pixel values, want %d: %w", len(in.Pixels), 3*in.Height*in.Width, palate.ErrInvalid)
	}
	for i, v := range in.Pixels {
		if v-v != 0 { // NaN or infinite: cheaper than asking for both
			return fmt.Errorf("the input's pixel value %d is %v: %w", i, v, palate.ErrInvalid)
		}
	}
	return nil
}

// shown is the part of a picture of width × height that its input shows.
func (d Description) shown(width, height int) Area {
	// part is the place of the window from ≤ x < to on a side of length all.
	part := func(from, to, all int) (float64, float64) {
		return float64(from) / float64(all), float64(to) / float64(all)
	}
	a := Area{MaxX: 1, MaxY: 1}
	switch d.Fit {
	case FitCrop:
		w, h := picture.ShortSize(width, height, d.shortSide())
		window := picture.CropWindow(w, h, d.Input.Width)
		a.MinX, a.MaxX = part(window.Min.X, window.Max.X, w)
		a.MinY, a.MaxY = part(window.Min.Y, window.Max.Y, h)
	case FitStretch:
		if d.ShortSide != 0 {
			margin := (1 - float64(d.Input.Width)/float64(d.ShortSide)) / 2
			a = Area{margin, margin, 1 - margin, 1 - margin}
		}
	case FitPad:
		w, h := insideSize(width, height, d.Input.Width, d.Input.Height)
		left, top := (d.Input.Width-w)/2, (d.Input.Height-h)/2
		a.MinX, a.MaxX = part(-left, d.Input.Width-left, w)
		a.MinY, a.MaxY = part(-top, d.Input.Height-top, h)
	}
	return a
}

// Reading is by the description's rules; its Short is what the picture's
// shorter side is resized to, or the longest it could be, and its Window what
// Prepare resizes it to: what is read by it can be prepared by this description
// alone.
func (d Description) Reading() picture.Reading {
	r := picture.Reading{Rules: d.Rules.OrCurrent(), Short: max(d.Input.Width, d.Input.Height), Window: d.window}
	if d.Fit == FitCrop || d.Fit == FitStretch && d.ShortSide != 0 {
		r.Short = d.shortSide()
	}
	return r
}

// insideSize is the largest size of w:h's ratio inside boxW × boxH, each
// side at least one pixel.
func insideSize(w, h, boxW, boxH int) (int, int) {
	if int64(w)*int64(boxH) >= int64(h)*int64(boxW) {
		return boxW, max(1, round(int64(h)*int64(boxW), int64(w)))
	}
	return max(1, round(int64(w)*int64(boxH), int64(h))), boxH
}

func round(numerator, denominator int64) int {
	return int((2*numerator + denominator) / (2 * denominator))
}
