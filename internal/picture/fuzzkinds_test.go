package picture_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/picture/picturetest"
)

// fuzzKind holds one format to the promises of Decode, and to what it says
// that it takes: all that is allocated, though given back, is at most three
// times that, and a little.
func fuzzKind(f *testing.F, format string, more ...[]byte) {
	f.Helper()
	limits := picture.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20, MinSide: 1}
	kinds, err := filepath.Glob("testdata/kinds/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(goldenFiles(f), kinds...) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if info, err := picture.Probe(bytes.NewReader(data), limits); err == nil && info.Format == format && len(data) < 8000 {
			f.Add(data)
		}
	}
	for _, data := range more {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := picture.Probe(bytes.NewReader(data), limits)
		if info.Format != format {
			return
		}
		if err != nil {
			if !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("Probe: got %v, want palate.ErrInvalid", err)
			}
			return
		}
		claimed := picture.ClaimedBytes(data, limits)
		before := allocated()
		m, _, err := picture.Decode(bytes.NewReader(data), limits)
		if took, most := int64(allocated()-before), 3*(claimed+2*int64(len(data)))+4<<20; took > most {
			t.Errorf("decoding %d×%d from %d bytes took %d bytes, claimed are %d", info.Width, info.Height, len(data), took, claimed)
		}
		if err != nil {
			if m != nil || !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("Decode = %v, %v; want no picture and palate.ErrInvalid", m, err)
			}
			return
		}
		if m.Width != info.Width || m.Height != info.Height || len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("picture of %d×%d with %d bytes; info %+v", m.Width, m.Height, len(m.Pix), info)
		}
	})
}

func FuzzTIFF(f *testing.F)   { fuzzKind(f, "tiff") }
func FuzzNetpbm(f *testing.F) { fuzzKind(f, "netpbm") }
func FuzzTGA(f *testing.F)    { fuzzKind(f, "tga") }
func FuzzGIF(f *testing.F)    { fuzzKind(f, "gif") }
func FuzzBMP(f *testing.F)    { fuzzKind(f, "bmp") }
func FuzzWebP(f *testing.F)   { fuzzKind(f, "webp") }

func FuzzPNG(f *testing.F) {
	var more [][]byte
	for _, m := range pngKinds() {
		more = append(more, encodePNG(f, m))
	}
	fuzzKind(f, "png", append(more, interlacedPNG(9, 7))...)
}

func FuzzJPEG(f *testing.F) {
	m := picturetest.Photograph(37, 29, 1)
	var more [][]byte
	for _, j := range []picturetest.JPEG{{Across: 1, Down: 1}, {Across: 2, Down: 2}, {Across: 2, Down: 1, Progressive: true}, {Across: 4, Down: 1, Progressive: true}} {
		more = append(more, j.Encode(m))
	}
	fuzzKind(f, "jpeg", more...)
}
