package picture_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// Every JPEG, of any layout and however damaged, has the pixels that
// libjpeg-turbo gives it.
func TestJPEGOfAnyKindEqualsLibjpegToTheByte(t *testing.T) {
	const folder = "testdata/jpeg"
	var golden struct {
		Cases []struct {
			Input   string `json:"input"`
			Want    string `json:"want"`
			Damaged bool   `json:"damaged"`
		} `json:"cases"`
	}
	readJSON(t, filepath.Join(folder, "cases.json"), &golden)
	if len(golden.Cases) < 30 {
		t.Fatalf("%d cases", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		t.Run(c.Input, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(folder, c.Input))
			if err != nil {
				t.Fatal(err)
			}
			got, info, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if (info.Damage != "") != c.Damaged {
				t.Errorf("its damage is %q; want some: %v", info.Damage, c.Damaged)
			}
			if largest, mean := difference(t, got, readPNG(t, filepath.Join(folder, c.Want))); largest != 0 {
				t.Errorf("largest error %d, mean %.3f; want the same bytes", largest, mean)
			}
		})
	}
}

// What an earlier palate read goes on with the pixels that it had, and what it
// refused is read by its rules as well.
func TestFormerRulesKeepTheirPixels(t *testing.T) {
	read := func(name string, rules picture.Rules) []byte {
		data, err := os.ReadFile(filepath.Join("testdata/jpeg", name))
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := picture.Read(bytes.NewReader(data), picture.DefaultLimits(), picture.Reading{Rules: rules})
		if err != nil {
			t.Fatalf("%s by %s: %v", name, rules, err)
		}
		return m.Pix
	}
	for name, differs := range map[string]bool{
		"late-quantisers-422.jpg": true, "late-quantisers-420.jpg": true, "sampling-4x1.jpg": true, "separate-pair.jpg": true,
		"sampling-1x1-2x2-2x2.jpg": false, "damaged-cut.jpg": false, "no-tables.jpg": false, "arithmetic.jpg": false,
	} {
		file, err := os.Open(filepath.Join("testdata/jpeg", name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		former, present := read(name, picture.Former), read(name, picture.Current())
		if same := bytes.Equal(former, present); same == differs {
			t.Errorf("%s has the same pixels by both rules: %v", name, same)
		}
		touched, err := picture.Differs(file, picture.DefaultLimits(), picture.Former, picture.Current(), 1000)
		if err != nil || differs && !touched {
			t.Errorf("%s is touched by the present rules: %v, %v", name, touched, err)
		}
	}
}

// Less than half of a picture is no picture.
func TestTooLittleOfAJPEGIsBroken(t *testing.T) {
	for _, name := range []string{"testdata/jpeg/sampling-4x2.jpg", "testdata/jpeg/arithmetic.jpg", "testdata/more/restart420.jpg", "testdata/more/scans-bits.jpg"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scan := bytes.Index(data, []byte("\xff\xda"))
		_, info, err := picture.Decode(bytes.NewReader(data[:scan+(len(data)-scan)/8]), picture.DefaultLimits())
		var corrupt *picture.CorruptError
		if !errors.As(err, &corrupt) || !errors.Is(err, palate.ErrInvalid) {
			if name != "testdata/more/scans-bits.jpg" || info.Damage == "" { // all means may have come
				t.Errorf("an eighth of %s: %v, %+v; want it broken", name, err, info)
			}
		}
	}
}

// Whatever is changed in the pixels of a file, it is refused or has its size,
// and decoding ends.
func TestChangedJPEGOfAnyKind(t *testing.T) {
	files, err := filepath.Glob("testdata/jpeg/*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(9, 9))
	shown := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			changed := bytes.Clone(data)
			for range 1 + random.IntN(4) {
				at := len(changed)/3 + random.IntN(len(changed)*2/3)
				changed[at] ^= byte(1 << random.IntN(8))
			}
			m, info, err := picture.Decode(bytes.NewReader(changed), picture.DefaultLimits())
			switch {
			case err == nil && (len(m.Pix) != 3*m.Width*m.Height || m.Width != info.Width || m.Height != info.Height):
				t.Fatalf("%s: %d×%d with %d bytes, %+v", name, m.Width, m.Height, len(m.Pix), info)
			case err != nil && !errors.Is(err, palate.ErrInvalid):
				t.Fatalf("%s: %v", name, err)
			case err == nil:
				shown++
			}
		}
	}
	if shown < 5*len(files) {
		t.Errorf("of %d files changed 20 times, %d are shown", len(files), shown)
	}
}
