package picture_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

// drawn gives a picture with gradients, edges and noise, so that coding and
// resizing have something to do.
func drawn(width, height int, seed uint64) *picture.RGB {
	random := rand.New(rand.NewPCG(seed, 1))
	m := picture.NewRGB(width, height)
	for y := range height {
		row := m.Row(y)
		for x := range width {
			noise := random.IntN(24)
			row[3*x] = byte(min(255, 220*x/width+noise))
			row[3*x+1] = byte(min(255, 220*y/height+noise))
			row[3*x+2] = byte((x/17 + y/23) % 2 * 200)
		}
	}
	return m
}

func BenchmarkResizeCrop(b *testing.B) {
	for _, c := range []struct{ width, height, short, crop int }{
		{1600, 1200, 518, 518},
		{1600, 1200, 256, 224},
		{4000, 3000, 518, 518},
		{300, 300, 518, 518},
	} {
		source := drawn(c.width, c.height, 1)
		b.Run(fmt.Sprintf("%dx%d to %d of %d", c.width, c.height, c.crop, c.short), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := picture.ResizeCrop(source, c.short, c.crop); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeJPEG(b *testing.B) {
	var file bytes.Buffer
	if err := picture.EncodeJPEG(&file, drawn(1600, 1200, 1), 90); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := picture.Decode(bytes.NewReader(file.Bytes()), picture.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}
