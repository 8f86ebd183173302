package picture_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

// middle asks for the middle of a picture that is resized.
func middle(w, h, partW, partH int, filter picture.Filter) func(int, int) picture.Window {
	return func(int, int) picture.Window { return picture.CenterWindow(w, h, partW, partH, filter) }
}

// Rows that are reduced as they come, of pictures that lie in any of the eight
// ways, give what resizing the upright picture gives.
func TestRowsReducedAsTheyComeAreTheResizedPicture(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 13))
	sizes := []image.Point{{1, 1}, {37, 23}, {23, 64}, {200, 7}, {5, 130}}
	for range 400 {
		size := sizes[random.IntN(len(sizes))]
		stored := drawn(size.X, size.Y, uint64(size.X))
		orientation := 1 + random.IntN(8)
		upright := picture.Upright(stored, orientation)
		w, h := 1+random.IntN(60), 1+random.IntN(60)
		switch random.IntN(6) { // a side that stays
		case 0:
			w = upright.Width
		case 1:
			h = upright.Height
		case 2:
			w, h = upright.Width, upright.Height
		}
		filter := []picture.Filter{picture.Bicubic, picture.Bilinear, picture.Lanczos, picture.Box, picture.Hamming}[random.IntN(5)]
		cropW, cropH := 1+random.IntN(w), 1+random.IntN(h)
		want, err := picture.ResizeWindow(upright, w, h, cropW, cropH, filter)
		if err != nil {
			t.Fatal(err)
		}
		got := picture.Reduced(stored, orientation, picture.CenterWindow(w, h, cropW, cropH, filter))
		if got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
			t.Fatalf("%v, orientation %d, to %d×%d, of that %d×%d by %s: the pixels differ", size, orientation, w, h, cropW, cropH, filter)
		}
	}
}

// Every file that the tests have, of every kind, is reduced while it is decoded
// to what resizing it afterwards gives, with the same damage, and the kinds that
// can be go by rows.
func TestFilesReducedWhileTheyAreDecodedAreTheResizedPicture(t *testing.T) {
	race.Long(t)
	windows := []func(int, int) picture.Window{
		middle(24, 24, 24, 24, picture.Bicubic), middle(40, 17, 13, 17, picture.Bilinear), middle(300, 310, 20, 30, picture.Lanczos),
		func(w, h int) picture.Window { return picture.CenterWindow(w, h, (w+1)/2, (h+1)/2, picture.Bicubic) },
		middle(9, 9, 9, 9, picture.Nearest), // is resized afterwards
		middle(9, 9, 10, 10, picture.Box),   // is refused afterwards
	}
	files, read, byRows := 0, 0, map[string]int{}
	each := func(name string, data []byte) {
		if files++; len(data) > 100_000 {
			return // nothing that the smaller ones don't have
		}
		for _, rules := range []picture.Rules{picture.Current(), picture.Former}[:1+files%2] {
			whole, info, err := picture.Read(bytes.NewReader(data), picture.DefaultLimits(), picture.Reading{Rules: rules})
			if err != nil {
				continue
			}
			read++
			for i, window := range windows {
				if (i+files)%3 > 0 {
					continue // two of them for each file
				}
				w := window(whole.Width, whole.Height)
				want, wantErr := picture.ResizeWindow(whole, w.Width, w.Height, w.Part.Dx(), w.Part.Dy(), w.Filter)
				m, reducedInfo, err := picture.Read(bytes.NewReader(data), picture.DefaultLimits(), picture.Reading{Rules: rules, Window: window})
				if err != nil || reducedInfo != info {
					t.Errorf("%s, window %d: %+v, %v; want %+v", name, i, reducedInfo, err, info)
					continue
				}
				if width, height := m.Whole(); width != whole.Width || height != whole.Height {
					t.Errorf("%s: the whole is %d×%d, want %d×%d", name, width, height, whole.Width, whole.Height)
				}
				if picture.IsReduced(m) {
					byRows[info.Format]++
				}
				got, err := picture.ResizeWindow(m, w.Width, w.Height, w.Part.Dx(), w.Part.Dy(), w.Filter)
				if (err == nil) != (wantErr == nil) {
					t.Errorf("%s, window %d: %v, want %v", name, i, err, wantErr)
				} else if err == nil && (got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix)) {
					t.Errorf("%s by %s, window %d: the pixels differ", name, rules, i)
				}
			}
		}
	}
	err := filepath.WalkDir("testdata", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".want.png") || strings.Contains(name, "heif") {
			return err
		}
		data, err := os.ReadFile(name)
		each(name, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range pngKinds() {
		each(fmt.Sprint("PNG ", i), encodePNG(t, m))
	}
	whole := encodePNG(t, pngKinds()[len(pngKinds())-7])
	each("cut PNG", whole[:len(whole)*4/5])
	if read < 40 || byRows["png"] == 0 || byRows["jpeg"] == 0 || byRows["tiff"] == 0 {
		t.Errorf("%d readings, of which by rows: %v", read, byRows)
	}
}

// A picture that was reduced can't be had in another size.
func TestAReducedPictureHasOneSize(t *testing.T) {
	data := encodePNG(t, image.NewGray(image.Rect(0, 0, 50, 40)))
	m, _, err := picture.Read(bytes.NewReader(data), picture.DefaultLimits(), picture.Reading{Window: middle(10, 8, 8, 8, picture.Bicubic)})
	if err != nil || m.Width != 8 || m.Height != 8 {
		t.Fatalf("got %v, %v, want 8×8", m, err)
	}
	if _, err := picture.ResizeWindow(m, 10, 8, 7, 7, picture.Bicubic); err == nil {
		t.Error("another part of it was given")
	}
	if same, err := picture.ResizeWindow(m, 10, 8, 8, 8, picture.Bicubic); err != nil || same != m {
		t.Errorf("got %v, %v, want the picture itself", same, err)
	}
}

// tiffStrip is an uncompressed file with one strip.
func tiffStrip(width, height int) []byte {
	const entries = 9
	file := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), entries)
	pixels := 8 + 2 + 12*entries + 4
	for _, e := range [][2]int{{256, width}, {257, height}, {258, 8}, {259, 1}, {262, 1}, {273, pixels}, {277, 1}, {278, height}, {279, width * height}} {
		file = binary.LittleEndian.AppendUint16(file, uint16(e[0]))
		file = binary.LittleEndian.AppendUint16(file, 4) // LONG
		file = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(file, 1), uint32(e[1]))
	}
	file = append(file, 0, 0, 0, 0)
	for i := range width * height {
		file = append(file, byte(i*i>>9))
	}
	return file
}

// What takes a budget's whole room when it is decoded whole is reduced within
// a small part of it.
func TestALargePictureIsReducedInASmallBudget(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 900, 600))
	for i := range m.Pix {
		m.Pix[i] = byte(i >> 9)
	}
	jpeg := turned(t, m, 6)
	b := picture.SmallBudget(2 << 20)
	for name, data := range map[string][]byte{"PNG": encodePNG(t, m), "TIFF": tiffStrip(900, 600), "turned JPEG": jpeg} {
		terms := usual
		nothing := func(*picture.RGB, picture.Info) error { return nil }
		if _, err := b.DecodeBytes(t.Context(), data, terms, nothing); err == nil {
			t.Errorf("%s: the whole picture of 1.62 MB was decoded in 1.57 MB", name)
		}
		terms.Reading.Window = middle(112, 112, 112, 112, picture.Bicubic)
		_, err := b.DecodeBytes(t.Context(), data, terms, func(m *picture.RGB, _ picture.Info) error {
			if m.Width != 112 || m.Height != 112 {
				t.Errorf("%s: got %d×%d", name, m.Width, m.Height)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v, want it reduced as it comes", name, err)
		}
		if _, err := b.Check(t.Context(), data, usual); err != nil {
			t.Errorf("%s: a check that keeps no pixels: %v", name, err)
		}
	}
}

// turned is a JPEG of a picture with an orientation.
func turned(t *testing.T, m image.Image, orientation byte) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := picture.EncodeJPEG(&file, picture.FromImage(m), 90); err != nil {
		t.Fatal(err)
	}
	const block = "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"
	exif := block + string(rune(orientation)) + "\x00\x00\x00\x00\x00\x00"
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return append(append(bytes.Clone(file.Bytes()[:2]), segment...), file.Bytes()[2:]...)
}
