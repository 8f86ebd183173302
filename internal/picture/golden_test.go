package picture_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// readPNG reads a reference with the standard library alone.
func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m
}

// difference compares two opaque pictures of one size.
func difference(t *testing.T, got *picture.RGB, want image.Image) (largest int, mean float64) {
	t.Helper()
	b := want.Bounds()
	if got.Width != b.Dx() || got.Height != b.Dy() {
		t.Fatalf("size is %d×%d, want %d×%d", got.Width, got.Height, b.Dx(), b.Dy())
	}
	sum := 0
	for y := range got.Height {
		for x := range got.Width {
			r, g, b, _ := want.At(b.Min.X+x, b.Min.Y+y).RGBA()
			c := got.RGBAAt(x, y)
			for _, pair := range [][2]int{{int(c.R), int(r >> 8)}, {int(c.G), int(g >> 8)}, {int(c.B), int(b >> 8)}} {
				d := max(pair[0]-pair[1], pair[1]-pair[0])
				largest = max(largest, d)
				sum += d
			}
		}
	}
	return largest, float64(sum) / float64(len(got.Pix))
}

func decodeFile(t *testing.T, path string) (*picture.RGB, picture.Info) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, info, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
	if err != nil {
		t.Fatalf("Decode(%s): %v", path, err)
	}
	probed, err := picture.Probe(bytes.NewReader(data), picture.DefaultLimits())
	if probed.Damage = info.Damage; err != nil || probed != info { // only pixels show damage
		t.Errorf("Probe(%s) = %+v, %v; Decode says %+v", path, probed, err, info)
	}
	return m, info
}

func TestDecodeShowsWhatPillowShows(t *testing.T) {
	for _, folder := range []string{"testdata/decode", "testdata/more", "testdata/tiff", "testdata/simple"} {
		var golden struct {
			Cases []struct {
				Input       string `json:"input"`
				Want        string `json:"want"`
				MaxAbsError int    `json:"max_abs_error"`
				Orientation int    `json:"orientation"` // 0 where the file does not say
			} `json:"cases"`
		}
		readJSON(t, filepath.Join(folder, "cases.json"), &golden)
		if len(golden.Cases) == 0 {
			t.Fatal("no cases")
		}
		for _, c := range golden.Cases {
			t.Run(c.Input, func(t *testing.T) {
				got, info := decodeFile(t, filepath.Join(folder, c.Input))
				largest, mean := difference(t, got, readPNG(t, filepath.Join(folder, c.Want)))
				if largest > c.MaxAbsError || mean >= .5 {
					t.Errorf("largest error %d, mean %.3f; want at most %d and below .5", largest, mean, c.MaxAbsError)
				}
				if c.Orientation != 0 && info.Orientation != c.Orientation {
					t.Errorf("orientation is %d, want %d", info.Orientation, c.Orientation)
				}
				t.Logf("largest error %d, mean %.4f", largest, mean)
			})
		}
	}
}

func TestResizeEqualsPillowToTheByte(t *testing.T) {
	race.Long(t)
	var golden struct {
		Cases []struct {
			Input   string `json:"input"`
			Short   int    `json:"short"`
			Resized [2]int `json:"resized"`
			Crop    int    `json:"crop"`
			Output  string `json:"output"`
		} `json:"cases"`
	}
	readJSON(t, "testdata/resize/cases.json", &golden)
	if len(golden.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range golden.Cases {
		t.Run(c.Output, func(t *testing.T) {
			source, _ := decodeFile(t, filepath.Join("testdata/resize", c.Input))
			want := readPNG(t, filepath.Join("testdata/resize", c.Output))

			resized, err := picture.ResizeShort(source, c.Short)
			if err != nil {
				t.Fatal(err)
			}
			if got := [2]int{resized.Width, resized.Height}; got != c.Resized {
				t.Fatalf("resized to %v, want %v", got, c.Resized)
			}
			twoSteps, err := picture.CenterCrop(resized, c.Crop)
			if err != nil {
				t.Fatal(err)
			}
			oneStep, err := picture.ResizeCrop(source, c.Short, c.Crop)
			if err != nil {
				t.Fatal(err)
			}
			if largest, _ := difference(t, twoSteps, want); largest != 0 {
				t.Errorf("ResizeShort and CenterCrop: largest error %d, want the same bytes", largest)
			}
			if largest, _ := difference(t, oneStep, want); largest != 0 {
				t.Errorf("ResizeCrop: largest error %d, want the same bytes", largest)
			}
		})
	}
}
