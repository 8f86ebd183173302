package picture_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

// Colours come to sRGB as Little CMS brings them: by matrices to a level, by
// tables to one on average.
func TestColourProfilesComeToSRGBAsLittleCMSBringsThem(t *testing.T) {
	race.Long(t)
	const folder = "testdata/icc"
	var golden struct {
		Cases []struct {
			Input   string `json:"input"`
			Want    string `json:"want"`
			Tables  bool   `json:"tables"`
			Changed bool   `json:"changed"`
		} `json:"cases"`
	}
	readJSON(t, filepath.Join(folder, "cases.json"), &golden)
	if len(golden.Cases) < 15 {
		t.Fatalf("%d cases", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		t.Run(c.Input, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(folder, c.Input))
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			largest, mean := difference(t, got, readPNG(t, filepath.Join(folder, c.Want)))
			if !c.Tables && largest > 1 || c.Tables && mean > 1 {
				t.Errorf("largest error %d, mean %.3f", largest, mean)
			}
			t.Logf("largest error %d, mean %.3f", largest, mean)

			rules := picture.Current().Without(picture.ColourProfiles)
			plain, _, err := picture.Read(bytes.NewReader(data), picture.DefaultLimits(), picture.Reading{Rules: rules})
			if err != nil {
				t.Fatal(err)
			}
			if same := bytes.Equal(plain.Pix, got.Pix); same == c.Changed {
				t.Errorf("with and without the profile the pixels are the same: %v", same)
			}
			differs, err := picture.Differs(bytes.NewReader(data), picture.DefaultLimits(), rules, picture.Current(), 1000)
			if err != nil || differs != c.Changed {
				t.Errorf("the rule touches it: %v, %v; want %v", differs, err, c.Changed)
			}
		})
	}
}
