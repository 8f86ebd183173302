package picture_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// formula draws the picture that the goldens were made from.
func formula(w, h int) *picture.RGB {
	m := picture.NewRGB(w, h)
	for y := range h {
		for x := range w {
			for c := range 3 {
				m.Row(y)[3*x+c] = byte(x*x*(3+c) + y*y*7 + x*y*(5+2*c) + (x*31+y*17+c*91)%251)
			}
		}
	}
	return m
}

// Every filter gives Pillow's bytes.
func TestFiltersArePillows(t *testing.T) {
	text, err := os.ReadFile("testdata/filters.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Width, Height int
			ToWidth       int `json:"to_width"`
			ToHeight      int `json:"to_height"`
			Filter        picture.Filter
			SHA256        string
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil || len(golden.Cases) < 6*20 {
		t.Fatalf("got %d cases, %v", len(golden.Cases), err)
	}
	for _, c := range golden.Cases {
		got, err := picture.ResizeWindow(formula(c.Width, c.Height), c.ToWidth, c.ToHeight, c.ToWidth, c.ToHeight, c.Filter)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(got.Pix); hex.EncodeToString(sum[:]) != c.SHA256 {
			t.Errorf("%s of %d×%d to %d×%d: other bytes than Pillow's", c.Filter, c.Width, c.Height, c.ToWidth, c.ToHeight)
		}
	}
	if _, err := picture.ResizeWindow(formula(9, 9), 5, 5, 5, 5, "mitchell"); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("another filter: got %v", err)
	}
	if _, err := picture.ResizeWindow(formula(9, 9), 5, 5, 6, 5, picture.Box); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a window beyond the picture: got %v", err)
	}
}
