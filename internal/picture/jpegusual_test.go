package picture_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

// The samples of a usual JPEG are libjpeg's own: the goldens' tolerance
// is for decoders that transform otherwise.
func TestUsualJPEGEqualsPillowToTheByte(t *testing.T) {
	files, err := filepath.Glob("testdata/[dm]*e/*.jpg") // decode and more
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, usual := picture.DecodeUsual(data, 1)
		name := filepath.Base(path)
		if other := strings.Contains(name, "cmyk") || strings.HasPrefix(name, "ycck") || name == "scans-separate.jpg"; usual == other {
			t.Errorf("%s: decoded as the usual kind: %v, want %v", name, usual, !other)
		}
		if !usual || strings.HasPrefix(name, "exif") || strings.HasPrefix(name, "pair") {
			continue // compared in the tests of Decode and of progressive files
		}
		compared++
		if largest, _ := difference(t, got, readPNG(t, path+".want.png")); largest != 0 {
			t.Errorf("%s: largest error %d, want the same bytes", name, largest)
		}
	}
	if compared < 10 {
		t.Errorf("compared %d files only", compared)
	}
}

// The two files hold the same coefficients, one in ten scans.
func TestProgressiveJPEGEqualsSequentialToTheByte(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata/more", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	sequential, progressive := read("pair-sequential.jpg"), read("pair-progressive.jpg")
	for _, scale := range []int{1, 2, 4, 8} {
		want, ok := picture.DecodeUsual(sequential, scale)
		got, also := picture.DecodeUsual(progressive, scale)
		if !ok || !also {
			t.Fatalf("1/%d: decoded %v and %v", scale, ok, also)
		}
		if got.Width != want.Width || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("1/%d: got another picture", scale)
		}
	}
}

func encoded(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestUsualJPEGAgreesWithTheStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for range 40 {
		m := drawn(1+random.IntN(90), 1+random.IntN(90), random.Uint64())
		var img image.Image = m
		if random.IntN(3) == 0 {
			grey := image.NewGray(m.Bounds())
			for i := range grey.Pix {
				grey.Pix[i] = m.Pix[3*i+1]
			}
			img = grey
		}
		data := encoded(t, img, 1+random.IntN(100))
		got, ok := picture.DecodeUsual(data, 1)
		want, err := picture.DecodeByStandardLibrary(data)
		if !ok || err != nil {
			t.Fatalf("%T of %v: decoded here %v, by the standard library %v", img, m.Bounds(), ok, err)
		}
		// Transforms may round otherwise by one, which the colours enlarge.
		if largest, mean := difference(t, got, want); largest > 3 || mean > .1 {
			t.Errorf("%T of %v: largest difference %d, mean %.3f", img, m.Bounds(), largest, mean)
		}
	}
}

// What is cut is broken or damaged wherever it is cut, and what is changed is refused or
// decoded to its size.
func TestBrokenUsualJPEG(t *testing.T) {
	race.Long(t)
	restarts, err := os.ReadFile("testdata/more/restart420.jpg")
	if err != nil {
		t.Fatal(err)
	}
	progressive, err := os.ReadFile("testdata/more/scans-bits-restarts.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{encoded(t, drawn(70, 50, 1), 80), restarts, progressive} {
		whole, ok := picture.DecodeUsual(data, 1)
		if !ok {
			t.Fatal("the whole file is not decoded")
		}
		for n := 0; n < len(data)-4; n += 1 + len(data)/300 {
			if m, ok := picture.DecodeUsual(data[:n], 1); ok && !bytes.Equal(m.Pix, whole.Pix) {
				t.Fatalf("cut after %d of %d bytes: got another picture", n, len(data))
			}
			_, info, err := picture.Decode(bytes.NewReader(data[:n]), picture.DefaultLimits())
			if n < len(data)-20 && info.Damage == "" && !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("cut after %d of %d bytes: got %v, want palate.ErrInvalid or a damaged picture", n, len(data), err)
			}
		}
		random := rand.New(rand.NewPCG(5, 5))
		for range 500 {
			changed := bytes.Clone(data)
			for range 1 + random.IntN(3) {
				changed[random.IntN(len(changed))] ^= byte(1 << random.IntN(8))
			}
			if m, ok := picture.DecodeUsual(changed, 1<<random.IntN(4)); ok && len(m.Pix) != 3*m.Width*m.Height {
				t.Fatal("got a picture without some of its pixels")
			}
		}
	}
}

// A scaled picture is near to what averaging over its squares gives.
func TestScaledDecodingIsNearTheAverage(t *testing.T) {
	smooth := picture.NewRGB(203, 151)
	for y := range smooth.Height {
		for x := range smooth.Width {
			p := smooth.Row(y)[3*x:]
			p[0], p[1], p[2] = byte(x), byte(y+x/4), byte(255-y)
		}
	}
	data := encoded(t, smooth, 95)
	whole, ok := picture.DecodeUsual(data, 1)
	if !ok {
		t.Fatal("not decoded")
	}
	for _, scale := range []int{2, 4, 8} {
		got, ok := picture.DecodeUsual(data, scale)
		if !ok || got.Width != (203+scale-1)/scale || got.Height != (151+scale-1)/scale {
			t.Fatalf("1/%d: decoded %v, %d×%d", scale, ok, got.Width, got.Height)
		}
		for y := range got.Height - 1 {
			for x := range got.Width - 1 {
				for c := range 3 {
					sum := 0
					for dy := range scale {
						for dx := range scale {
							sum += int(whole.Row(scale*y + dy)[3*(scale*x+dx)+c])
						}
					}
					want := float64(sum) / float64(scale*scale)
					if d := float64(got.Row(y)[3*x+c]) - want; d > 4 || d < -4 {
						t.Fatalf("1/%d at (%d, %d), channel %d: got %d, the average is %.1f", scale, x, y, c, got.Row(y)[3*x+c], want)
					}
				}
			}
		}
	}
}

func TestDecodeAtLeastKeepsTwiceWhatIsAskedFor(t *testing.T) {
	data := encoded(t, drawn(321, 240, 1), 90)
	turned, err := os.ReadFile("testdata/decode/exif6.jpg")
	if err != nil {
		t.Fatal(err)
	}
	_, info, err := picture.Decode(bytes.NewReader(turned), picture.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		data         []byte
		short, scale int
		info         image.Point
	}{
		{data, 61, 1, image.Pt(321, 240)}, {data, 60, 2, image.Pt(321, 240)}, {data, 31, 2, image.Pt(321, 240)}, {data, 30, 4, image.Pt(321, 240)},
		{data, 15, 8, image.Pt(321, 240)}, {data, 1, 8, image.Pt(321, 240)}, {data, 10_000, 1, image.Pt(321, 240)},
		{turned, 1, 8, image.Pt(info.Width, info.Height)},
	} {
		m, info, err := picture.DecodeAtLeast(bytes.NewReader(test.data), picture.DefaultLimits(), test.short)
		if err != nil {
			t.Fatal(err)
		}
		want := image.Pt((test.info.X+test.scale-1)/test.scale, (test.info.Y+test.scale-1)/test.scale)
		if got := image.Pt(m.Width, m.Height); got != want || info.Width != test.info.X || info.Height != test.info.Y {
			t.Errorf("at least %d: got %v of %d×%d, want %v of %v", test.short, got, info.Width, info.Height, want, test.info)
		}
	}
}

// A model sees nearly the same of a picture that was decoded smaller. This
// one has noise in every pixel, which is where decoding smaller loses most;
// of a painting it is .3 to .5 (docs/decisions/0009).
func TestScaledDecodingChangesLittleForAModel(t *testing.T) {
	race.Long(t)
	data := encoded(t, drawn(1100, 1040, 1), 90)
	whole, _, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for _, short := range []int{256, 128} {
		scaled, _, err := picture.DecodeAtLeast(bytes.NewReader(data), picture.DefaultLimits(), short)
		if err != nil || scaled.Width == whole.Width {
			t.Fatalf("short side %d: %d wide (%v)", short, scaled.Width, err)
		}
		want, err := picture.ResizeCrop(whole, short, short)
		if err != nil {
			t.Fatal(err)
		}
		got, err := picture.ResizeCrop(scaled, short, short)
		if err != nil {
			t.Fatal(err)
		}
		if largest, mean := difference(t, got, want); mean > 1.3 {
			t.Errorf("short side %d: mean difference %.3f, largest %d", short, mean, largest)
		}
	}
}

func BenchmarkDecodeAtLeast(b *testing.B) {
	data := encoded(b, drawn(1600, 1200, 1), 90)
	for _, short := range []int{1200, 256, 100} {
		b.Run(fmt.Sprint(short), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := picture.DecodeAtLeast(bytes.NewReader(data), picture.DefaultLimits(), short); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
