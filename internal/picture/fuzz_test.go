package picture_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// FuzzDecode holds Decode to its promises for any bytes: no panic, every
// error the file's own, and a picture of the size that Probe told.
func FuzzDecode(f *testing.F) {
	for _, name := range goldenFiles(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 4000 {
			f.Add(data)
		}
	}
	f.Add([]byte("<html>"))
	limits := picture.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20, MinSide: 1}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, info, err := picture.Decode(bytes.NewReader(data), limits)
		probed, probeErr := picture.Probe(bytes.NewReader(data), limits)
		if err != nil {
			if m != nil || !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("Decode = %v, %v; want no picture and palate.ErrInvalid", m, err)
			}
			return
		}
		if probed.Damage = info.Damage; probeErr != nil || probed != info {
			t.Fatalf("Probe = %+v, %v; Decode gave %+v", probed, probeErr, info)
		}
		if m.Width != info.Width || m.Height != info.Height || len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("picture of %d×%d with %d bytes; info %+v", m.Width, m.Height, len(m.Pix), info)
		}
		if int64(m.Width)*int64(m.Height) > limits.MaxPixels {
			t.Fatalf("picture of %d×%d is above the limit", m.Width, m.Height)
		}
	})
}

// FuzzDecodeAny is of the decoding of JPEG of any kind, without the net that
// Decode spans under every decoder.
func FuzzDecodeAny(f *testing.F) {
	for _, name := range goldenFiles(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 4000 && bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := picture.Probe(bytes.NewReader(data), picture.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20, MinSide: 1})
		if err != nil || info.Format != "jpeg" {
			return
		}
		m, _, err := picture.DecodeAny(data)
		if err == nil && len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("picture of %d×%d with %d bytes", m.Width, m.Height, len(m.Pix))
		}
	})
}

// FuzzDecodeUsual is of the decoding that is done here, without the net
// that Decode spans under every decoder.
func FuzzDecodeUsual(f *testing.F) {
	for _, name := range goldenFiles(f) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 4000 && bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
			f.Add(data, uint8(0))
			f.Add(data, uint8(2))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, log uint8) {
		if info, err := picture.Probe(bytes.NewReader(data), picture.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20, MinSide: 1}); err != nil || info.Format != "jpeg" {
			return
		}
		if m, ok := picture.DecodeUsual(data, 1<<(log%4)); ok && len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("picture of %d×%d with %d bytes", m.Width, m.Height, len(m.Pix))
		}
	})
}
