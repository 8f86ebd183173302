package embedder_test

import (
	"errors"
	"image"
	"math"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
)

func whole(side, multiple int) embedder.Description {
	d := plain(embedder.FitWhole, side, side)
	d.Input.Multiple = multiple
	return d
}

func TestWholeInputsHaveThePicturesShapeAndTheDescriptionsArea(t *testing.T) {
	d := whole(518, 14)
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []image.Point{{1000, 1000}, {1500, 1000}, {1000, 1500}, {1600, 1200}, {1920, 1080}, {700, 699}, {3, 1}, {1, 9}, {5000, 400}, {16, 1}} {
		w, h := d.InputSize(p.X, p.Y)
		if w%14 != 0 || h%14 != 0 {
			t.Errorf("%v: got %d×%d, want multiples of 14", p, w, h)
		}
		if area := float64(w*h) / (518 * 518); area < .875 || area > 1.125 {
			t.Errorf("%v: got %d×%d, %.3f of the square's area", p, w, h, area)
		}
		got, want := float64(w)/float64(h), float64(p.X)/float64(p.Y)
		if off := math.Abs(math.Log(got / want)); off > .02 {
			t.Errorf("%v: got %d×%d, whose ratio is off by %.1f %%", p, w, h, 100*off)
		}
	}
	for _, test := range []struct {
		side, multiple int
		picture, want  image.Point
	}{
		{518, 14, image.Pt(900, 900), image.Pt(518, 518)},
		{518, 14, image.Pt(3000, 2000), image.Pt(630, 420)},   // 45 × 30 patches: 3:2 to the point
		{518, 14, image.Pt(10, 40000), image.Pt(126, 2072)},   // 9 × 148: squeezed, 148 patches are four sides
		{224, 14, image.Pt(1, 100000), image.Pt(56, 896)},     // 4 × 64: exactly four sides
		{224, 14, image.Pt(100000, 1), image.Pt(896, 56)},     // and turned
		{224, 16, image.Pt(640, 480), image.Pt(256, 192)},     // 16 × 12
		{14, 14, image.Pt(640, 480), image.Pt(14, 14)},        // one patch
		{4096, 64, image.Pt(100000, 1), image.Pt(4096, 3584)}, // no side above 4096
	} {
		w, h := whole(test.side, test.multiple).InputSize(test.picture.X, test.picture.Y)
		if got := image.Pt(w, h); got != test.want {
			t.Errorf("%v at %d in %ds: got %v, want %v", test.picture, test.side, test.multiple, got, test.want)
		}
	}
}

func TestPreparedInputsSayWhatTheyShow(t *testing.T) {
	crop := plain(embedder.FitCrop, 8, 8)
	crop.ShortSide = 16
	for name, test := range map[string]struct {
		d    embedder.Description
		want embedder.Area
	}{
		"whole":   {whole(32, 4), embedder.Area{MaxX: 1, MaxY: 1}},
		"stretch": {plain(embedder.FitStretch, 8, 6), embedder.Area{MaxX: 1, MaxY: 1}},
		"crop":    {crop, embedder.Area{MinX: .375, MinY: .25, MaxX: .625, MaxY: .75}},          // the middle 8 of 32 × 16
		"pad":     {plain(embedder.FitPad, 8, 8), embedder.Area{MinY: -.5, MaxX: 1, MaxY: 1.5}}, // two rows of eight pixels above and below
	} {
		in, err := test.d.Prepare(halves(64, 32))
		if err != nil {
			t.Fatal(name, err)
		}
		if in.Shown != test.want {
			t.Errorf("%s: got %+v, want %+v", name, in.Shown, test.want)
		}
		if err := test.d.Check(in); err != nil {
			t.Errorf("%s: Check refuses what Prepare made: %v", name, err)
		}
	}
}

func TestCheckKnowsEverySizeThatPrepareMakes(t *testing.T) {
	d := whole(64, 8)
	for w := 1; w < 400; w += 7 {
		for h := 1; h < 400; h += 11 {
			in := embedder.Input{Channels: 3}
			in.Width, in.Height = d.InputSize(w, h)
			in.Pixels = make([]float32, 3*in.Width*in.Height)
			if err := d.Check(in); err != nil {
				t.Fatalf("%d×%d: %v", w, h, err)
			}
		}
	}
	for _, size := range []image.Point{{8, 8}, {60, 64}, {64, 128}, {512, 8}, {0, 0}, {-64, -64}} {
		in := embedder.Input{Channels: 3, Width: size.X, Height: size.Y, Pixels: make([]float32, max(0, 3*size.X*size.Y))}
		if err := d.Check(in); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%v: got %v, want palate.ErrInvalid", size, err)
		}
	}
}
