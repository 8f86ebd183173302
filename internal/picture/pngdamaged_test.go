package picture_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

// noisyPNG has rows that do not compress, so that places in the file are places
// in the picture; its pixels are in chunks of a quarter.
func noisyPNG(t *testing.T) (file []byte, whole *picture.RGB) {
	t.Helper()
	m, random := image.NewNRGBA(image.Rect(0, 0, 40, 100)), rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(random.Uint32()) | byte(255*(i%4/3)) // opaque
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	at := bytes.Index(data, []byte("IDAT"))
	body := data[at+4 : at+4+int(binary.BigEndian.Uint32(data[at-4:]))]
	file = slices.Clone(data[:at-4])
	for part := range slices.Chunk(body, len(body)/4) {
		file = append(file, pngPart("IDAT", string(part), false)...)
	}
	return append(file, pngPart("IEND", "", false)...), picture.FromImage(m)
}

// A PNG file is shown up to where it can be read, whatever ends it; what was
// read is what was written, and the rest is said to be missing.
func TestADamagedPNGIsShownUpToTheDamage(t *testing.T) {
	file, whole := noisyPNG(t)
	at := func(share float64) int { return int(share * float64(len(file))) }
	flipped := func(share float64) []byte { b := slices.Clone(file); b[at(share)] ^= 4; return b }
	ends := make([]int, 0, 5) // of its chunks of pixels
	for i := 0; i < len(file)-4; i++ {
		if string(file[i:i+4]) == "IDAT" {
			ends = append(ends, i+4+int(binary.BigEndian.Uint32(file[i-4:]))+4)
		}
	}
	taller := slices.Clone(file)
	binary.BigEndian.PutUint32(taller[20:], 110)
	binary.BigEndian.PutUint32(taller[29:], crc32.ChecksumIEEE(taller[12:29]))
	for name, tc := range map[string]struct {
		file  []byte
		least int // rows that are as they were
		want  string
	}{
		"cut in a chunk":              {file[:at(.7)], 66, "its data end after "},
		"cut behind a chunk":          {file[:ends[2]], 70, "its data end after "},
		"cut in a chunk's head":       {file[:ends[2]+5], 70, "its data end after "},
		"cut in the last checksum":    {file[:len(file)-14], 100, "the mark of its end is missing"},
		"without the pixels' own sum": {file[:len(file)-18], 100, "the mark of its end is missing"},
		"a bit of a pixel":            {flipped(.9), 85, "some of them may be wrong"},
		"a chunk with a wrong sum":    {func() []byte { b := slices.Clone(file); b[ends[3]-1] ^= 1; return b }(), 100, "the checksum of its pixels is wrong"},
		"rows that were never there":  {taller, 100, "only 90 % of it can be read; the rest is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			m, info, err := picture.Decode(bytes.NewReader(tc.file), picture.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(info.Damage, tc.want) {
				t.Errorf("it says %q, want %q", info.Damage, tc.want)
			}
			n := 3 * m.Width * tc.least
			if !bytes.Equal(m.Pix[:n], whole.Pix[:n]) {
				t.Errorf("its first %d rows are not those that were written", tc.least)
			}
			if _, state, err := picture.Inspect(tc.file, picture.DefaultLimits()); err != nil || strings.Contains(info.Damage, "end") != (state == picture.Cut) {
				t.Errorf("by its structure it is %v, %v", state, err)
			}
		})
	}
}

// Of an interlaced file without some rows of the last pass the rows above stand
// in for them.
func TestAnInterlacedPNGThatEndsInItsLastPassIsShown(t *testing.T) {
	data, err := os.ReadFile("testdata/kinds/interlaced.png")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := decodeFile(t, "testdata/kinds/interlaced.png")
	coarse := 0
	for cut := len(data) - 1; cut > len(data)/2; cut-- {
		m, info, err := picture.Decode(bytes.NewReader(data[:cut]), picture.DefaultLimits())
		if err != nil {
			break
		}
		if strings.Contains(info.Damage, "the mark of its end is missing") {
			continue
		}
		coarse++
		for y := range m.Height {
			if y%2 == 0 && !bytes.Equal(m.Row(y), want.Row(y)) || y%2 == 1 && !bytes.Equal(m.Row(y), want.Row(y)) && !bytes.Equal(m.Row(y), want.Row(y-1)) {
				t.Fatalf("cut at %d of %d: row %d is neither itself nor the one above it", cut, len(data), y)
			}
		}
	}
	if coarse == 0 {
		t.Error("no cut shows a coarser picture")
	}
}

// What is missing of a picture with a palette is its first colour.
func TestTheRestOfAPaletteIsItsFirstColour(t *testing.T) {
	m, random := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.RGBA{1, 2, 3, 255}, color.White, color.Black, color.RGBA{9, 9, 9, 255}}), rand.New(rand.NewPCG(3, 4))
	for i := range m.Pix {
		m.Pix[i] = byte(random.IntN(4))
	}
	file := encodePNG(t, m)
	got, info, err := picture.Decode(bytes.NewReader(file[:len(file)*3/4]), picture.DefaultLimits())
	if err != nil || info.Damage == "" {
		t.Fatalf("got %q and %v", info.Damage, err)
	}
	if last := got.Row(63)[:3]; !bytes.Equal(last, []byte{1, 2, 3}) {
		t.Errorf("got %v", last)
	}
}
