package embedder_test

import (
	"bytes"
	"image"
	"image/png"
	"slices"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
)

// What is read by a description's own Reading, and so reduced as it comes, is
// prepared to the same input as the whole picture, and shows the same part of it.
func TestPicturesReducedAsTheyComeAreTheSameInput(t *testing.T) {
	short, whole := plain(embedder.FitCrop, 12, 12), plain(embedder.FitWhole, 14, 14)
	short.ShortSide, whole.Input.Multiple = 16, 7
	stretched := plain(embedder.FitStretch, 9, 9)
	stretched.ShortSide, stretched.Resample = 11, "bilinear"
	for _, d := range []embedder.Description{short, whole, stretched, plain(embedder.FitStretch, 8, 6), plain(embedder.FitPad, 8, 8)} {
		for _, size := range []image.Point{{64, 31}, {31, 64}, {500, 20}, {7, 9}, {1, 1}} {
			var file bytes.Buffer
			if err := png.Encode(&file, halves(size.X, size.Y)); err != nil {
				t.Fatal(err)
			}
			all, _, err := picture.Read(bytes.NewReader(file.Bytes()), picture.DefaultLimits(), picture.Reading{Rules: d.Reading().Rules})
			if err != nil {
				t.Fatal(err)
			}
			want, err := d.Prepare(all)
			if err != nil {
				t.Fatal(err)
			}
			m, _, err := picture.Read(bytes.NewReader(file.Bytes()), picture.DefaultLimits(), d.Reading())
			if err != nil {
				t.Fatal(err)
			}
			if w := d.Input.Width; size.X > 8*w && m.Width > 4*w {
				t.Errorf("%s of %v: %d×%d came, want it reduced", d.Fit, size, m.Width, m.Height)
			}
			got, err := d.Prepare(m)
			if err != nil || got.Shown != want.Shown || got.Width != want.Width || got.Height != want.Height || !slices.Equal(got.Pixels, want.Pixels) {
				t.Errorf("%s of %v: the inputs differ (%v)", d.Fit, size, err)
			}
		}
	}
}
