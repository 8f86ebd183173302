package picture_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// A PNG is decoded row by row to the pixels that image/png gives.
func FuzzPNGIsWhatTheStandardLibraryReads(f *testing.F) {
	for _, name := range goldenFiles(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if bytes.HasPrefix(data, []byte("\x89PNG")) && len(data) < 20_000 {
			f.Add(data)
		}
	}
	for _, m := range pngKinds() {
		f.Add(encodePNG(f, m))
	}
	f.Add(interlacedPNG(9, 7))
	limits := picture.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20, MinSide: 1}
	f.Fuzz(func(t *testing.T, data []byte) {
		if info, err := picture.Probe(bytes.NewReader(data), limits); err != nil || info.Format != "png" || info.Orientation != 1 {
			return
		}
		got, _, err := picture.Decode(bytes.NewReader(data), limits)
		standard, wantErr := png.Decode(bytes.NewReader(data))
		if wantErr != nil {
			return // a file without its last chunk, or with something behind its pixels, is read here all the same
		}
		if err != nil {
			t.Fatalf("got %v, image/png reads it", err)
		}
		if want := picture.FromImage(standard); got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
			t.Fatalf("%d×%d: the pixels differ from image/png's", got.Width, got.Height)
		}
	})
}

// pngKinds are pictures that image/png writes in all the forms it knows.
func pngKinds() []image.Image {
	random := rand.New(rand.NewPCG(5, 6))
	var kinds []image.Image
	for _, r := range []image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(0, 0, 37, 19)} {
		grey, grey16, opaque, straight, straight16 := image.NewGray(r), image.NewGray16(r), image.NewRGBA(r), image.NewNRGBA(r), image.NewNRGBA64(r)
		for _, pix := range [][]byte{grey.Pix, grey16.Pix, opaque.Pix, straight.Pix, straight16.Pix} {
			for i := range pix {
				pix[i] = byte(random.Uint32())
			}
		}
		for i := 3; i < len(opaque.Pix); i += 4 {
			opaque.Pix[i] = 255
		}
		kinds = append(kinds, grey, grey16, opaque, straight, straight16)
		for _, n := range []int{2, 4, 16, 200} {
			palette := make(color.Palette, n)
			for i := range palette {
				palette[i] = color.NRGBA{byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32() | 0x80)}
			}
			m := image.NewPaletted(r, palette)
			for i := range m.Pix {
				m.Pix[i] = byte(random.IntN(n))
			}
			kinds = append(kinds, m)
		}
	}
	return kinds
}

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Pixels of which most are not there and pixels that are too many are losses.
func TestABrokenPNGIsInvalid(t *testing.T) {
	whole := encodePNG(t, pngKinds()[len(pngKinds())-7])
	for name, change := range map[string]func([]byte) []byte{
		"cut before the middle":     func(b []byte) []byte { return b[:len(b)*2/5] },
		"as many rows more":         func(b []byte) []byte { return withHeight(b, 39) },
		"one row less":              func(b []byte) []byte { return withHeight(b, 18) },
		"no pixels":                 func(b []byte) []byte { return b[:33] },
		"a header with a wrong sum": func(b []byte) []byte { b[30] ^= 1; return b },
	} {
		if _, _, err := picture.Decode(bytes.NewReader(change(bytes.Clone(whole))), picture.DefaultLimits()); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want palate.ErrInvalid", name, err)
		}
	}
}

// withHeight changes the header, and its checksum with it.
func withHeight(file []byte, height byte) []byte {
	file[23] = height
	return withChecksum(file, 8)
}

// A picture of more than 50 megapixels is averaged as its rows come; a smaller
// one is decoded whole.
func TestALargePNGIsReducedAsItComes(t *testing.T) {
	for _, size := range []image.Point{{403, 201}, {8, 8}, {7, 100}, {1, 1}} {
		m := image.NewGray(image.Rect(0, 0, size.X, size.Y))
		for i := range m.Pix {
			m.Pix[i] = byte(i * i / 7)
		}
		for _, scale := range []int{2, 4, 8} {
			got, err := picture.DecodePNG(encodePNG(t, m), scale)
			if err != nil {
				t.Fatal(err)
			}
			want := meansOf(picture.FromImage(m), scale)
			if got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%v at 1/%d: the means differ", size, scale)
			}
		}
	}
	for _, c := range []struct {
		format               string
		width, height, short int
		want                 int
	}{
		{"png", 7000, 7000, 224, 1}, {"png", 14_000, 14_000, 224, 8}, {"png", 14_000, 14_000, 518, 8}, {"png", 14_000, 14_000, 0, 1},
		{"jpeg", 7000, 7000, 518, 4}, {"png", 100_000, 1000, 518, 1},
	} {
		if got := (picture.Reading{Rules: picture.Former.With(picture.PNGReduced), Short: c.short}).Scale(picture.Info{Format: c.format, Width: c.width, Height: c.height}); got != c.want {
			t.Errorf("%+v: got 1/%d of the size", c, got)
		}
		if former := (picture.Reading{Rules: picture.Former, Short: c.short}); c.format == "png" && former.Scale(picture.Info{Format: "png", Width: c.width, Height: c.height}) != 1 {
			t.Errorf("%+v: reduced by the former rules", c)
		}
	}
}

// An interlaced file has the pixels of image/png, and its passes give the
// means of them.
func TestAnInterlacedPNGIsReducedTheSameWay(t *testing.T) {
	for _, size := range []image.Point{{37, 19}, {1, 1}, {3, 2}, {8, 8}, {5, 41}} {
		data := interlacedPNG(size.X, size.Y)
		standard, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		want := picture.FromImage(standard)
		for _, scale := range []int{1, 2, 4, 8} {
			got, err := picture.DecodePNG(data, scale)
			if err != nil {
				t.Fatal(err)
			}
			want := meansOf(want, scale)
			if got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%v at 1/%d: the pixels differ", size, scale)
			}
		}
	}
}

// interlacedPNG is a file of random pixels with alpha in seven passes, which
// image/png does not write.
func interlacedPNG(width, height int) []byte {
	random := rand.New(rand.NewPCG(7, 8))
	var raw bytes.Buffer
	deflate := zlib.NewWriter(&raw)
	for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		for y := p[1]; y < height && p[0] < width; y += p[3] {
			row := []byte{byte(random.IntN(5))} // its filter
			for x := p[0]; x < width; x += p[2] {
				row = binary.BigEndian.AppendUint32(row, random.Uint32())
			}
			_, _ = deflate.Write(row)
		}
	}
	_ = deflate.Close()
	return pngOf(width, height, 8, 6, 1, raw.Bytes())
}

// pngOf is a file of compressed rows, in two chunks.
func pngOf(width, height int, depth, colour, interlace byte, deflated []byte) []byte {
	file := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, body []byte) {
		at := len(file)
		file = binary.BigEndian.AppendUint32(file, uint32(len(body)))
		file = append(append(append(file, kind...), body...), 0, 0, 0, 0)
		withChecksum(file, at)
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	chunk("IHDR", append(header, depth, colour, 0, 0, interlace))
	chunk("IDAT", deflated[:len(deflated)/2])
	chunk("IDAT", deflated[len(deflated)/2:])
	chunk("IEND", nil)
	return file
}

func meansOf(m *picture.RGB, scale int) *picture.RGB {
	out := picture.NewRGB((m.Width+scale-1)/scale, (m.Height+scale-1)/scale)
	for y := range out.Height {
		for x := range out.Width {
			for c := range 3 {
				sum, n := 0, 0
				for yy := scale * y; yy < min(scale*y+scale, m.Height); yy++ {
					for xx := scale * x; xx < min(scale*x+scale, m.Width); xx++ {
						sum += int(m.Pix[3*(yy*m.Width+xx)+c])
						n++
					}
				}
				out.Pix[3*(y*out.Width+x)+c] = byte((sum + n/2) / n)
			}
		}
	}
	return out
}
