package picturetest_test

import (
	"bytes"
	"image/jpeg"
	"testing"

	"github.com/palate-art/palate/internal/picture/picturetest"
)

// The standard library reads every file, with about the pixels that were
// written, and a progressive file has those of the other.
func TestEncodeIsReadByTheStandardLibrary(t *testing.T) {
	m := picturetest.Photograph(97, 61, 1)
	for _, j := range []picturetest.JPEG{{Across: 1, Down: 1}, {Across: 2, Down: 1}, {Across: 2, Down: 2}, {Across: 1, Down: 2}, {Across: 4, Down: 1}} {
		var first []byte
		for _, j.Progressive = range []bool{false, true} {
			got, err := jpeg.Decode(bytes.NewReader(j.Encode(m)))
			if err != nil {
				t.Fatalf("%+v: %v", j, err)
			}
			if got.Bounds() != m.Bounds() {
				t.Fatalf("%+v: bounds are %v, want %v", j, got.Bounds(), m.Bounds())
			}
			sum := 0
			var pixels []byte
			for y := range 61 {
				for x := range 97 {
					r, g, b, _ := got.At(x, y).RGBA()
					w := m.RGBAAt(x, y)
					for _, d := range []int{int(r>>8) - int(w.R), int(g>>8) - int(w.G), int(b>>8) - int(w.B)} {
						sum += max(d, -d)
					}
					pixels = append(pixels, byte(r>>8), byte(g>>8), byte(b>>8))
				}
			}
			if mean := float64(sum) / float64(len(pixels)); mean > 6 {
				t.Errorf("%+v: mean difference %.2f, want below 6", j, mean)
			}
			if first == nil {
				first = pixels
			}
			if !bytes.Equal(first, pixels) {
				t.Errorf("%+v: another picture than without scans", j)
			}
		}
	}
}
