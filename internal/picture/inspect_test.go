package picture_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

func drawnSquares() image.Image {
	m := image.NewGray(image.Rect(0, 0, 320, 240))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i / 97)
	}
	m.SetGray(3, 3, color.Gray{Y: 200})
	return m
}

func encodedAs(t testing.TB, format string) []byte {
	t.Helper()
	var out bytes.Buffer
	var err error
	switch format {
	case "jpeg":
		err = jpeg.Encode(&out, drawnSquares(), nil)
	case "png":
		err = png.Encode(&out, drawnSquares())
	case "gif":
		err = gif.Encode(&out, drawnSquares(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestInspectTellsWholeFilesFromCutOnes(t *testing.T) {
	changed := encodedAs(t, "png")
	changed[len(changed)/2] ^= 1
	changedHeader := encodedAs(t, "png")
	changedHeader[29] ^= 1 // its checksum
	for name, test := range map[string]struct {
		data []byte
		want picture.Completeness
		ok   bool
	}{
		"JPEG":                       {encodedAs(t, "jpeg"), picture.Whole, true},
		"JPEG with data behind":      {append(encodedAs(t, "jpeg"), "more"...), picture.Whole, true},
		"JPEG without end marker":    {encodedAs(t, "jpeg")[:len(encodedAs(t, "jpeg"))-2], picture.Cut, true},
		"half a JPEG":                {encodedAs(t, "jpeg")[:len(encodedAs(t, "jpeg"))/2], picture.Cut, true},
		"PNG":                        {encodedAs(t, "png"), picture.Whole, true},
		"PNG without its last chunk": {encodedAs(t, "png")[:len(encodedAs(t, "png"))-12], picture.Cut, true},
		"half a PNG":                 {encodedAs(t, "png")[:len(encodedAs(t, "png"))/2], picture.Cut, true},
		"PNG with a changed bit":     {changed, picture.Whole, true}, // of its pixels: decoding finds out
		"PNG with a changed header":  {changedHeader, picture.Cut, false},
		"GIF":                        {encodedAs(t, "gif"), picture.Undecided, true},
		"no picture":                 {[]byte("<!DOCTYPE html>"), picture.Undecided, false},
		"nothing":                    {nil, picture.Undecided, false},
	} {
		info, got, err := picture.Inspect(test.data, picture.DefaultLimits())
		if got != test.want || (err == nil) != test.ok || test.ok && (info.Width != 320 || info.Height != 240) {
			t.Errorf("%s: %d×%d, %v, %v; want %v", name, info.Width, info.Height, got, err, test.want)
		}
	}
}

// What Inspect calls whole among the files of the golden tests, Decode shows,
// and it says the same of size.
func TestWhatInspectPassesDecodeShows(t *testing.T) {
	race.Long(t)
	names, err := filepath.Glob("testdata/*/*")
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // a folder
		}
		info, state, err := picture.Inspect(data, picture.DefaultLimits())
		_, decoded, decodeErr := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
		if decoded.Damage = ""; err == nil && info != decoded {
			t.Errorf("%s is %+v by its structure and %+v decoded", name, info, decoded)
		}
		if err != nil && decodeErr == nil {
			t.Errorf("%s: refused (%v), though it can be decoded", name, err)
		}
		if state == picture.Whole && err == nil {
			if whole++; decodeErr != nil {
				t.Logf("%s passes as whole: %v", name, decodeErr) // its pixels are garbled
			}
		}
	}
	if whole < 10 {
		t.Errorf("%d whole files, want those of the golden tests", whole)
	}
}

func FuzzInspect(f *testing.F) {
	for _, format := range []string{"jpeg", "png", "gif"} {
		f.Add(encodedAs(f, format))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := picture.Limits{MaxBytes: 1 << 16, MaxPixels: 1 << 16, MinSide: 1}
		_, state, err := picture.Inspect(data, limits)
		if _, _, decodeErr := picture.Decode(bytes.NewReader(data), limits); err != nil && decodeErr == nil {
			t.Errorf("refused (%v), though it can be decoded", err)
		}
		if state == picture.Whole && err != nil {
			t.Errorf("whole, and refused: %v", err)
		}
	})
}
