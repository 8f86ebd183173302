package picture_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image/png"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

// Decoding a file and resizing it, whole and as its rows come.
func BenchmarkDecodeAndResize(b *testing.B) {
	for _, size := range [][2]int{{1600, 1200}, {4000, 3000}} {
		m := drawn(size[0], size[1], 1)
		var jpeg, deflated bytes.Buffer
		if err := picture.EncodeJPEG(&jpeg, m, 90); err != nil {
			b.Fatal(err)
		}
		if err := png.Encode(&deflated, m); err != nil {
			b.Fatal(err)
		}
		for _, file := range []struct {
			kind string
			data []byte
		}{{"JPEG", jpeg.Bytes()}, {"PNG", deflated.Bytes()}} {
			for _, w := range []picture.Window{
				picture.CenterWindow(256*size[0]/size[1], 256, 224, 224, picture.Bicubic),
				picture.CenterWindow(518, 518, 518, 518, picture.Bicubic),
			} {
				for name, window := range map[string]func(int, int) picture.Window{"whole": nil, "by rows": func(int, int) picture.Window { return w }} {
					b.Run(fmt.Sprintf("%s %d×%d to %d %s", file.kind, size[0], size[1], w.Part.Dx(), name), func(b *testing.B) {
						b.ReportAllocs()
						for b.Loop() {
							m, _, err := picture.Read(bytes.NewReader(file.data), picture.DefaultLimits(), picture.Reading{Window: window})
							if err != nil {
								b.Fatal(err)
							}
							if _, err := picture.ResizeWindow(m, w.Width, w.Height, w.Part.Dx(), w.Part.Dy(), w.Filter); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
			}
		}
	}
}

// A PNG of 20,000 × 10,000 pixels in colours: the bytes that are allocated for one
// picture, all together, are more than what is held at a time, and less than the
// budget counts.
func BenchmarkReduce200Megapixels(b *testing.B) {
	const width, height = 20_000, 10_000
	var raw bytes.Buffer
	deflate, err := zlib.NewWriterLevel(&raw, zlib.BestSpeed)
	if err != nil {
		b.Fatal(err)
	}
	row := make([]byte, 1+3*width)
	for y := range height {
		for i := range row[1:] {
			row[1+i] = byte((i/3*y)>>14 + 40*(i%3))
		}
		if _, err := deflate.Write(row); err != nil {
			b.Fatal(err)
		}
	}
	if err := deflate.Close(); err != nil {
		b.Fatal(err)
	}
	file := pngOf(width, height, 8, 2, 0, raw.Bytes())
	reading := picture.Reading{}
	for name, window := range map[string]func(int, int) picture.Window{"whole": nil,
		"by rows": func(int, int) picture.Window {
			return picture.CenterWindow(1036, 518, 518, 518, picture.Bicubic)
		}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			reading.Window = window
			claimed := picture.ClaimedFor(file, reading)
			for b.Loop() {
				m, _, err := picture.Read(bytes.NewReader(file), picture.DefaultLimits(), reading)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := picture.ResizeWindow(m, 1036, 518, 518, 518, picture.Bicubic); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(file))/(1<<20), "MiB-file")
			b.ReportMetric(float64(claimed)/(1<<20), "MiB-counted")
		})
	}
}
