package embedder_test

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
)

func plain(fit embedder.Fit, width, height int) embedder.Description {
	return embedder.Description{
		Name: "plain", Input: embedder.InputDescription{Name: "in", Width: width, Height: height, Layout: embedder.LayoutNCHW},
		Fit: fit, Resample: embedder.Bicubic, Mean: [3]float64{0.5, 0.25, 0}, Std: [3]float64{0.5, 0.25, 1},
		Output:    embedder.OutputDescription{Name: "out", Pooling: embedder.PoolNone},
		Normalise: embedder.NormaliseL2, NumericClass: embedder.NumericFloat,
	}
}

// halves is red on the left and blue on the right.
func halves(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{R: 255, A: 255}
			if 2*x >= width {
				c = color.NRGBA{B: 255, A: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func at(in embedder.Input, c, x, y int) float32 {
	return in.Pixels[(c*in.Height+y)*in.Width+x]
}

func TestPrepareFitsAndNormalises(t *testing.T) {
	red, blue, mean := [3]float32{1, -1, 0}, [3]float32{-1, -1, 1}, [3]float32{0, 0, 0}
	type probe struct {
		x, y int
		want [3]float32
	}
	crop := plain(embedder.FitCrop, 8, 8)
	crop.ShortSide = 16
	tests := []struct {
		name   string
		d      embedder.Description
		img    image.Image
		probes []probe
	}{
		{"stretch keeps both ends", plain(embedder.FitStretch, 8, 6), halves(64, 12), []probe{{0, 0, red}, {7, 5, blue}}},
		{"pad fills a wide picture's top and bottom with the mean", plain(embedder.FitPad, 8, 8), halves(64, 32),
			[]probe{{0, 1, mean}, {0, 2, red}, {7, 5, blue}, {7, 6, mean}}},
		{"pad fills a tall picture's sides with the mean", plain(embedder.FitPad, 8, 8), halves(32, 64),
			[]probe{{1, 0, mean}, {2, 0, red}, {5, 7, blue}, {6, 7, mean}}},
		{"pad keeps one line of a very wide picture", plain(embedder.FitPad, 8, 8), halves(4000, 2),
			[]probe{{0, 2, mean}, {0, 3, red}, {7, 3, blue}, {0, 4, mean}}},
		{"crop takes the middle", crop, halves(64, 16), []probe{{0, 0, red}, {7, 7, blue}}},
		{"crop of a picture with its seam outside", crop, onlyRedInTheMiddle(), []probe{{0, 0, red}, {7, 7, red}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.d.Validate(); err != nil {
				t.Fatal(err)
			}
			in, err := test.d.Prepare(test.img)
			if err != nil {
				t.Fatal(err)
			}
			if in.Channels != 3 || in.Width != test.d.Input.Width || in.Height != test.d.Input.Height {
				t.Fatalf("got [%d, %d, %d]", in.Channels, in.Height, in.Width)
			}
			for _, p := range test.probes {
				for c := range 3 {
					if got := at(in, c, p.x, p.y); math.Abs(float64(got-p.want[c])) > 1e-6 {
						t.Errorf("channel %d at (%d, %d): got %v, want %v", c, p.x, p.y, got, p.want[c])
					}
				}
			}
		})
	}
}

func onlyRedInTheMiddle() image.Image {
	img := halves(48, 16)
	for y := range 16 {
		for x := range 48 {
			if x >= 14 && x < 34 {
				img.SetNRGBA(x, y, color.NRGBA{R: 255, A: 255})
			} else {
				img.SetNRGBA(x, y, color.NRGBA{G: 255, A: 255})
			}
		}
	}
	return img
}

// timm resizes the shorter side to floor(size / crop_pct): 256 for 224 at
// .875, 235 at .95 (235.79).
func TestCropRatioIsTimms(t *testing.T) {
	img := picture.NewRGB(301, 402)
	for i := range img.Pix {
		img.Pix[i] = byte(i * i >> 3)
	}
	for ratio, short := range map[float64]int{0.875: 256, 0.95: 235, 1: 224, 0.9: 248} {
		byRatio, bySide := plain(embedder.FitCrop, 224, 224), plain(embedder.FitCrop, 224, 224)
		byRatio.CropRatio, bySide.ShortSide = ratio, short
		a, err := byRatio.Prepare(img)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bySide.Prepare(img)
		if err != nil {
			t.Fatal(err)
		}
		for i := range a.Pixels {
			if a.Pixels[i] != b.Pixels[i] {
				t.Errorf("crop_ratio %v: got another picture than with short_side %d", ratio, short)
				break
			}
		}
	}
}
