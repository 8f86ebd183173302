package picture_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

func TestShortSizeTruncatesTheLongerSide(t *testing.T) {
	for _, c := range []struct{ width, height, short, wantWidth, wantHeight int }{
		{401, 263, 256, 390, 256},
		{263, 401, 256, 256, 390},
		{300, 300, 56, 56, 56},
		{1, 3000, 2, 2, 6000},
		{900, 7, 3, 385, 3},
	} {
		w, h := picture.ShortSize(c.width, c.height, c.short)
		if w != c.wantWidth || h != c.wantHeight {
			t.Errorf("ShortSize(%d, %d, %d) = %d, %d; want %d, %d", c.width, c.height, c.short, w, h, c.wantWidth, c.wantHeight)
		}
	}
}

func TestCropWindowRoundsHalfToEven(t *testing.T) {
	for _, c := range []struct{ width, height, size, left, top int }{
		{256, 256, 224, 16, 16},
		{85, 56, 56, 14, 0}, // 14.5
		{87, 56, 56, 16, 0}, // 15.5
		{56, 57, 56, 0, 0},  // 0.5
	} {
		got := picture.CropWindow(c.width, c.height, c.size)
		if want := image.Rect(c.left, c.top, c.left+c.size, c.top+c.size); got != want {
			t.Errorf("CropWindow(%d, %d, %d) = %v, want %v", c.width, c.height, c.size, got, want)
		}
	}
}

func TestResizeCropEqualsItsTwoSteps(t *testing.T) {
	for i, c := range []struct{ width, height, short, crop int }{
		{1, 1, 5, 3}, {1, 90, 7, 7}, {90, 1, 7, 5}, {2, 3, 64, 33}, {97, 61, 13, 12}, {61, 97, 61, 40}, {500, 3, 9, 4},
	} {
		m := drawn(c.width, c.height, uint64(i))
		before := slices.Clone(m.Pix)
		got, err := picture.ResizeCrop(m, c.short, c.crop)
		if err != nil {
			t.Fatal(err)
		}
		resized, err := picture.ResizeShort(m, c.short)
		if err != nil {
			t.Fatal(err)
		}
		want, err := picture.CenterCrop(resized, c.crop)
		if err != nil {
			t.Fatal(err)
		}
		if got.Width != c.crop || got.Height != c.crop || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("ResizeCrop of %+v differs from ResizeShort and CenterCrop", c)
		}
		if !bytes.Equal(m.Pix, before) {
			t.Errorf("resizing %+v changed the picture given", c)
		}
	}
}

func TestResizeKeepsAPlainColour(t *testing.T) {
	plain := picture.NewRGB(31, 17)
	for i := range plain.Pix {
		plain.Pix[i] = []byte{0, 128, 255}[i%3]
	}
	for _, size := range [][2]int{{1, 1}, {31, 1}, {1, 17}, {300, 200}, {7, 90}} {
		m, err := picture.Resize(plain, size[0], size[1])
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range m.Pix {
			if want := []byte{0, 128, 255}[i%3]; v != want {
				t.Fatalf("%v: byte %d is %d, want %d", size, i, v, want)
			}
		}
	}
}

func TestResizeOfAThinStripCostsOnlyTheSquare(t *testing.T) {
	strip := drawn(60000, 1, 1)
	if _, err := picture.ResizeShort(strip, 518); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("ResizeShort to 31 million columns: %v; want palate.ErrInvalid", err)
	}
	m, err := picture.ResizeCrop(strip, 518, 518)
	if err != nil || m.Width != 518 || m.Height != 518 {
		t.Errorf("ResizeCrop of a strip: %v", err)
	}
}

func TestBadSizesAreInvalid(t *testing.T) {
	m, empty := picture.NewRGB(4, 4), picture.NewRGB(0, 4)
	var out bytes.Buffer
	for name, err := range map[string]error{
		"resize to zero":     second(picture.Resize(m, 0, 4)),
		"resize nothing":     second(picture.Resize(empty, 4, 4)),
		"resize too large":   second(picture.Resize(m, 1<<20, 1<<20)),
		"short of zero":      second(picture.ResizeShort(m, 0)),
		"crop above short":   second(picture.ResizeCrop(m, 3, 4)),
		"crop above picture": second(picture.CenterCrop(m, 5)),
		"thumbnail of zero":  second(picture.Thumbnail(m, 0)),
		"JPEG of nothing":    picture.EncodeJPEG(&out, empty, 90),
		"JPEG too wide":      picture.EncodeJPEG(&out, picture.NewRGB(65536, 1), 90),
		"JPEG quality 101":   picture.EncodeJPEG(&out, m, 101),
	} {
		if !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: %v; want palate.ErrInvalid", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestThumbnailFitsAndNeverEnlarges(t *testing.T) {
	for _, c := range []struct{ width, height, maxSide, wantWidth, wantHeight int }{
		{400, 300, 100, 100, 75}, {300, 400, 100, 75, 100}, {50, 40, 100, 50, 40}, {3000, 2, 100, 100, 1}, {100, 100, 100, 100, 100},
	} {
		m, err := picture.Thumbnail(drawn(c.width, c.height, 1), c.maxSide)
		if err != nil {
			t.Fatal(err)
		}
		if m.Width != c.wantWidth || m.Height != c.wantHeight {
			t.Errorf("%+v gives %d×%d", c, m.Width, m.Height)
		}
	}
}

func TestEncodedJPEGShowsTheSamePicture(t *testing.T) {
	want := drawn(64, 48, 3)
	for i := range want.Pix { // smooth enough for JPEG
		want.Pix[i] = byte(i * 255 / len(want.Pix))
	}
	var file bytes.Buffer
	if err := picture.EncodeJPEG(&file, want, 95); err != nil {
		t.Fatal(err)
	}
	if _, err := jpeg.DecodeConfig(bytes.NewReader(file.Bytes())); err != nil {
		t.Errorf("the standard library can't read it: %v", err)
	}
	got, info, err := picture.Decode(&file, picture.DefaultLimits())
	if err != nil || info != (picture.Info{Format: "jpeg", Width: 64, Height: 48, Orientation: 1}) {
		t.Fatalf("Decode: %+v, %v", info, err)
	}
	if _, mean := difference(t, got, want); mean > 2 {
		t.Errorf("mean error %.2f, want at most 2", mean)
	}
}

func TestFromImageLaysEveryTypeOverWhite(t *testing.T) {
	half := color.NRGBA{R: 200, G: 100, A: 128}
	bounds := image.Rect(-2, 3, 5, 9)
	part := image.Rect(0, 4, 4, 7)
	type settable interface {
		image.Image
		Set(x, y int, c color.Color)
		SubImage(r image.Rectangle) image.Image
	}
	for _, m := range []settable{
		image.NewRGBA(bounds), image.NewNRGBA(bounds), image.NewRGBA64(bounds), image.NewNRGBA64(bounds),
		image.NewPaletted(bounds, color.Palette{color.Transparent, half}),
	} {
		t.Run(fmt.Sprintf("%T", m), func(t *testing.T) {
			m.Set(1, 5, half)
			got := picture.FromImage(m.SubImage(part))
			if got.Bounds() != image.Rect(0, 0, 4, 3) {
				t.Fatalf("bounds are %v", got.Bounds())
			}
			// 255 - a·(255 - c)/255
			for at, want := range map[image.Point]color.RGBA{{X: 1, Y: 1}: {227, 177, 127, 255}, {X: 0, Y: 0}: {255, 255, 255, 255}} {
				c := got.RGBAAt(at.X, at.Y)
				for _, d := range []int{int(c.R) - int(want.R), int(c.G) - int(want.G), int(c.B) - int(want.B)} {
					if max(d, -d) > 1 {
						t.Errorf("at %v: %v, want %v", at, c, want)
					}
				}
			}
		})
	}
	grey := image.NewGray16(bounds)
	grey.SetGray16(1, 5, color.Gray16{Y: 0x80ff})
	if got := picture.FromImage(grey).RGBAAt(3, 2); got != (color.RGBA{128, 128, 128, 255}) {
		t.Errorf("16-bit grey 0x80ff gives %v, want its high byte", got)
	}
}
