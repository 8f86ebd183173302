package picture_test

import (
	"bytes"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

func TestGIFFrameStandsOnItsCanvas(t *testing.T) {
	// One pixel of colour 1 (red) on a canvas, as the header gives it.
	gif := func(width, height, left, top byte) []byte {
		return []byte("GIF89a" + string([]byte{width, 0, height, 0}) + "\x80\x00\x00\x00\x00\xff\xff\x00\x00" +
			"\x2c" + string([]byte{left, 0, top, 0}) + "\x01\x00\x01\x00\x00\x02\x02\x4c\x01\x00;")
	}
	for _, c := range []struct {
		name                              string
		width, height, left, top          byte
		wantWidth, wantHeight, redX, redY int
	}{
		{"offset", 4, 3, 2, 1, 4, 3, 2, 1},
		{"no canvas", 0, 0, 0, 0, 1, 1, 0, 0},
		{"frame beyond its canvas", 2, 2, 4, 1, 5, 2, 4, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, info, err := picture.Decode(bytes.NewReader(gif(c.width, c.height, c.left, c.top)), picture.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if info.Width != c.wantWidth || info.Height != c.wantHeight {
				t.Fatalf("size %d×%d, want %d×%d", info.Width, info.Height, c.wantWidth, c.wantHeight)
			}
			for y := range m.Height {
				for x := range m.Width {
					wantGreen := byte(255) // white
					if x == c.redX && y == c.redY {
						wantGreen = 0
					}
					if got := m.RGBAAt(x, y); got.R != 255 || got.G != wantGreen {
						t.Errorf("at %d, %d: %v", x, y, got)
					}
				}
			}
		})
	}
}
