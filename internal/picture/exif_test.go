package picture_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

func TestOrientationIsReadFromAnyEXIFAndDamageIsIgnored(t *testing.T) {
	data, err := os.ReadFile("testdata/more/odd420.jpg") // 37 × 23
	if err != nil {
		t.Fatal(err)
	}
	const (
		little = "II*\x00\x08\x00\x00\x00\x01\x00"
		big    = "MM\x00*\x00\x00\x00\x08\x00\x01"
	)
	for _, c := range []struct {
		name, block string
		want        int
	}{
		{"little endian", little + "\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00", 6},
		{"big endian", big + "\x01\x12\x00\x03\x00\x00\x00\x01\x00\x08\x00\x00", 8},
		{"a long", little + "\x12\x01\x04\x00\x01\x00\x00\x00\x03\x00\x00\x00", 3},
		{"orientation 0", little + "\x12\x01\x03\x00\x01\x00\x00\x00\x00\x00\x00\x00", 1},
		{"orientation 9", little + "\x12\x01\x03\x00\x01\x00\x00\x00\x09\x00\x00\x00", 1},
		{"no value", little + "\x12\x01\x03\x00\x00\x00\x00\x00\x06\x00\x00\x00", 1},
		{"values outside the block", little + "\x12\x01\x03\x00\xff\xff\xff\xff\xff\xff\xff\xff", 1},
		{"cut short", little + "\x12\x01\x03\x00\x01", 1},
		{"directory outside the block", "II*\x00\xff\xff\xff\xff\x01\x00", 1},
		{"nonsense", strings.Repeat("x", 40), 1},
		{"nothing", "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := "Exif\x00\x00" + c.block
			segment := "\xff\xe1" + string([]byte{0, byte(len(body) + 2)}) + body
			file := append([]byte("\xff\xd8"+segment), data[2:]...)
			m, info, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			wantWidth, wantHeight := 37, 23
			if c.want > 4 {
				wantWidth, wantHeight = 23, 37
			}
			if info.Orientation != c.want || m.Width != wantWidth || m.Height != wantHeight {
				t.Errorf("orientation %d, %d×%d; want %d, %d×%d", info.Orientation, m.Width, m.Height, c.want, wantWidth, wantHeight)
			}
		})
	}
}

// The corners of a picture of 2 × 3 in distinct colours show where each
// orientation puts them, apart from any other program's opinion.
func TestEveryOrientationPutsTheCornersWhereEXIFSays(t *testing.T) {
	// What is at the top left and at the top right of the upright picture,
	// as stored: a top left, b top right, c bottom left, d bottom right.
	for orientation, want := range map[byte]string{1: "ab", 2: "ba", 3: "dc", 4: "cd", 5: "ac", 6: "ca", 7: "db", 8: "bd"} {
		file := cornersTIFF(orientation)
		m, _, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		got := string([]byte{m.RGBAAt(0, 0).R, m.RGBAAt(m.Width-1, 0).R})
		if got != want {
			t.Errorf("orientation %d: top corners are %q, want %q", orientation, got, want)
		}
	}
}

// cornersTIFF is a grey picture of 2 × 3 whose corners are a, b, c and d.
func cornersTIFF(orientation byte) []byte {
	entries := [][3]uint16{{256, 3, 2}, {257, 3, 3}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8 + 2 + 9*12 + 4}, {274, 3, uint16(orientation)}, {278, 3, 3}, {279, 4, 6}}
	b := []byte("II*\x00\x08\x00\x00\x00")
	b = append(b, byte(len(entries)), 0)
	for _, e := range entries {
		b = append(b, byte(e[0]), byte(e[0]>>8), byte(e[1]), 0, 1, 0, 0, 0, byte(e[2]), byte(e[2]>>8), 0, 0)
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, "ab--cd"...)
}

func TestJPEGOfTooManyScansIsRefused(t *testing.T) {
	data, err := os.ReadFile("testdata/decode/grey.jpg")
	if err != nil {
		t.Fatal(err)
	}
	empty := strings.Repeat("\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00", 501)
	file := append(data[:len(data)-2:len(data)-2], empty+"\xff\xd9"...)
	_, err = picture.Probe(bytes.NewReader(file), picture.DefaultLimits())
	var corrupt *picture.CorruptError
	if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "scans") {
		t.Errorf("Probe: %v; want it to refuse the scans", err)
	}
}
