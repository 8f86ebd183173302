package picture_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

func TestRulesAreWrittenInOneWay(t *testing.T) {
	for _, text := range []string{"2", "2+" + picture.JPEGWhole, string(picture.Current())} {
		got, err := picture.ParseRules(text)
		if err != nil || string(got) != text {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "3", "2+", "2+unheard-of", "2+jpeg-whole+jpeg-whole", "jpeg-whole", "2 + jpeg-whole"} {
		if got, err := picture.ParseRules(text); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%q: got %q, %v, want it refused", text, got, err)
		}
		var r picture.Rules
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(quoted, &r); text != "" && !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%q from JSON: got %q, %v, want it refused", text, r, err)
		}
	}
	var open picture.Rules
	switch {
	case open.OrCurrent() != picture.Current(), !open.Has(picture.JPEGWhole):
		t.Errorf("no rules are %q, want the present ones, %q", open.OrCurrent(), picture.Current())
	case picture.Current().Has(picture.PNGReduced):
		t.Error("a rule that is past is one of the present ones")
	case picture.Former.Has(picture.JPEGWhole), picture.Former.OrCurrent() != picture.Former:
		t.Error("the former rules have one of those that came later")
	case picture.Former.With(picture.JPEGWhole).Without(picture.JPEGWhole) != picture.Former:
		t.Error("a rule that came and went leaves a trace")
	}
}

// stripes is a picture in which every second column is another colour, so that
// less detail shows.
func stripes(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.RGBA{uint8(x * 255 / width), uint8(x % 2 * 200), uint8(y % 3 * 100), 255})
		}
	}
	return m
}

// What Differs calls untouched has the same pixels by both rules.
func TestUntouchedPicturesAreTheSameByBothRules(t *testing.T) {
	race.Long(t)
	const short = 64
	for _, tc := range []struct {
		width, height int
		jpeg, differs bool
	}{
		{512, 400, true, true}, {512, 256, true, true}, {512, 255, true, false}, {100, 100, true, false}, {512, 400, false, false},
	} {
		var file bytes.Buffer
		err := png.Encode(&file, stripes(tc.width, tc.height))
		if tc.jpeg {
			file.Reset()
			err = jpeg.Encode(&file, stripes(tc.width, tc.height), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		differs, err := picture.Differs(bytes.NewReader(file.Bytes()), picture.DefaultLimits(), picture.Former, picture.Current(), short)
		if err != nil || differs != tc.differs {
			t.Errorf("%+v: got %v, %v", tc, differs, err)
		}
		var read [2]*picture.RGB
		for i, rules := range []picture.Rules{picture.Former, picture.Current()} {
			if read[i], _, err = picture.Read(bytes.NewReader(file.Bytes()), picture.DefaultLimits(), picture.Reading{Rules: rules, Short: short}); err != nil {
				t.Fatal(err)
			}
		}
		same := read[0].Width == read[1].Width && bytes.Equal(read[0].Pix, read[1].Pix)
		if same == tc.differs {
			t.Errorf("%+v: the pixels are the same: %v", tc, same)
		}
		if read[1].Width != tc.width {
			t.Errorf("%+v: by the present rules it is %d wide", tc, read[1].Width)
		}
	}
	if _, err := picture.Differs(bytes.NewReader([]byte("no picture")), picture.DefaultLimits(), picture.Former, picture.Current(), short); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("no picture: got %v", err)
	}
}
