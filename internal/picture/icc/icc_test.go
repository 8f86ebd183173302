package icc_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/palate-art/palate/internal/picture/icc"
)

// FuzzProfile holds for any bytes: an error, or a transform that maps every
// pixel to one.
func FuzzProfile(f *testing.F) {
	files, err := filepath.Glob("../testdata/icc/*.tiff")
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for at := 40; at+4 < len(data); at++ { // the profile lies in it as it is
			if string(data[at:at+4]) == "acsp" {
				f.Add(data[at-36:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		p, err := icc.Parse(data)
		if err != nil {
			return
		}
		transform, err := p.ToSRGB()
		if took := allocated() - before; took > 12*uint64(len(data))+4<<20 {
			t.Errorf("a profile of %d bytes took %d bytes of memory", len(data), took)
		}
		if err != nil {
			return
		}
		pixels := []byte{0, 0, 0, 255, 255, 255, 1, 128, 254, 77, 77, 77}
		if p.Space() == icc.CMYK {
			transform.CMYK(make([]byte, 9), pixels)
			return
		}
		transform.RGB(pixels)
	})
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	for name, data := range map[string][]byte{"nothing": nil, "short": make([]byte, 100), "zeros": make([]byte, 200)} {
		if p, err := icc.Parse(data); err == nil {
			t.Errorf("%s: got %+v", name, p)
		}
	}
}
