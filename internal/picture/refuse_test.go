package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

// unreadFiles are files, or their beginnings, of kinds that are not read.
func unreadFiles() []unreadFile {
	return []unreadFile{
		{"video", "\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom"},
		{"JPEG XL", "\xff\x0a\x00\x00"},
		{"JPEG XL", "\x00\x00\x00\x0cJXL \r\n\x87\n"},
		{"JPEG 2000", "\x00\x00\x00\x0cjP  \r\n\x87\n"},
		{"PDF", "%PDF-1.7\n"},
		{"Photoshop", "8BPS\x00\x01"},
		{"ICO", "\x00\x00\x01\x00\x01\x00"},
		{"ICO", "\x00\x00\x02\x00\x01\x00\x20\x20"},
		{"floating-point Netpbm", "PF\n2 2\n-1.0\n"},
		{"PCX", "\x0a\x05\x01\x08"},
		{"DIB", "\x28\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x18\x00"},
		{"HTML", "\xef\xbb\xbf\n <!DOCTYPE html><html><body><svg></svg>"},
		{"HTML", "<html><head>"},
		{"SVG", "<?xml version=\"1.0\"?>\n<!-- drawn -->\n<svg xmlns=\"\">"},
		{"XML", "<?xml version=\"1.0\"?><error/>"},
		{"JSON", "{\"error\": 404}"},
		{"text", "Not found"},
		{"text", "BMW builds cars, not pictures"},
		{"unknown", "\x01\x02\x03\x04\x05\x06"},
		{"lossless JPEG", "\xff\xd8\xff\xc3\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00"},
		{"lossless or hierarchical arithmetic-coded JPEG", "\xff\xd8\xff\xcb\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00"},
		{"JPEG-LS", "\xff\xd8\xff\xf7\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00"},
		{"12-bit JPEG", "\xff\xd8\xff\xc1\x00\x0b\x0c\x00\x10\x00\x10\x01\x01\x11\x00"},
		{"Apple PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\x04CgBI\x50\x00\x20\x02\x2b\xd5\xb3\x7f"},
		{"JPEG in TIFF", tiffHeader(259, 7)},
		{"CMYK TIFF", tiffHeader(262, 5)},
		{"YCbCr TIFF", tiffHeader(262, 6)},
		{"Lab TIFF", tiffHeader(262, 8)},
		{"Zstandard in TIFF", tiffHeader(259, 50000)},
		{"floating-point TIFF", tiffHeader(339, 3)},
		{"3-bit TIFF", tiffHeader(258, 3)},
		{"planar TIFF", planarHeader(2, 8, 8)},
		{"compressed BMP", "BM" + strings.Repeat("\x00", 8) + "\x36\x00\x00\x00\x28\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00\x01\x00\x18\x00\x04" + strings.Repeat("\x00", 23)},
	}
}

type unreadFile struct{ kind, file string }

func TestKindsThatCannotBeReadAreNamed(t *testing.T) {
	for _, c := range unreadFiles() {
		t.Run(c.kind, func(t *testing.T) {
			_, _, err := picture.Decode(strings.NewReader(c.file), picture.DefaultLimits())
			var got *picture.UnsupportedError
			if !errors.As(err, &got) || got.Kind != c.kind || !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("Decode: %v; want the kind %q", err, c.kind)
			}
			if _, probed := picture.Probe(strings.NewReader(c.file), picture.DefaultLimits()); !errors.As(probed, &got) || got.Kind != c.kind {
				t.Errorf("Probe: %v; want the kind %q", probed, c.kind)
			}
		})
	}
}

// tiffHeader is a TIFF file of 16 × 16 without pixels and with one tag more.
func tiffHeader(tag, value uint16) string {
	var b bytes.Buffer
	write := func(values ...any) {
		for _, v := range values {
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				panic(err)
			}
		}
	}
	b.WriteString("II*\x00")
	write(uint32(8), uint16(3))
	for _, e := range [][2]uint16{{256, 16}, {257, 16}, {tag, value}} {
		write(e[0], uint16(3), uint32(1), e[1], uint16(0))
	}
	write(uint32(0))
	return b.String()
}

// A picture whose colours were to come in scans that are not there is broken,
// not a grey one.
func TestJPEGWithoutAllItsScansIsInvalid(t *testing.T) {
	data, err := os.ReadFile("testdata/more/scans-separate.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte("\xff\xda")); n != 3 {
		t.Fatalf("%d scans, want 3", n)
	}
	for at := len(data) - 1; at > 0; at-- {
		if !bytes.HasPrefix(data[at:], []byte("\xff\xda")) {
			continue
		}
		for _, end := range []string{"", "\xff\xd9"} {
			file := string(data[:at]) + end
			if _, _, err := picture.Decode(strings.NewReader(file), picture.DefaultLimits()); !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("cut at the scan at byte %d, then %q: got %v, want palate.ErrInvalid", at, end, err)
			}
		}
	}
}

// planarHeader is a TIFF file of 16 × 16 without pixels, of planes of so many
// bits.
func planarHeader(photometric uint16, bits ...uint16) string {
	at := uint32(8 + 2 + 12*5 + 4)
	b := []byte("II*\x00\x08\x00\x00\x00\x05\x00")
	entry := func(tag uint16, count int, value uint32) {
		b = binary.LittleEndian.AppendUint16(b, tag)
		b = binary.LittleEndian.AppendUint16(b, 3)
		b = binary.LittleEndian.AppendUint32(b, uint32(count))
		b = binary.LittleEndian.AppendUint32(b, value)
	}
	entry(256, 1, 16)
	entry(257, 1, 16)
	if len(bits) == 2 {
		entry(258, 2, uint32(bits[0])|uint32(bits[1])<<16)
	} else {
		entry(258, len(bits), at)
	}
	entry(262, 1, uint32(photometric))
	entry(284, 1, 2)
	b = append(b, 0, 0, 0, 0)
	for _, n := range bits {
		b = binary.LittleEndian.AppendUint16(b, n)
	}
	return string(b)
}

func TestPlanarTIFFWithoutItsPlanesIsInvalid(t *testing.T) {
	race.Long(t)
	for name, file := range map[string]string{
		"no strips": planarHeader(2, 8, 8, 8), "none with transparency": planarHeader(2, 16, 16, 16, 16),
	} {
		if _, _, err := picture.Decode(strings.NewReader(file), picture.DefaultLimits()); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want palate.ErrInvalid", name, err)
		}
	}
	for _, name := range []string{"planar.tiff", "planar-tiles.tiff", "planar-alpha.tiff"} {
		data, err := os.ReadFile("testdata/more/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for at := range 300 {
			changed := bytes.Clone(data)
			changed[at] ^= 0xff
			m, info, err := picture.Decode(bytes.NewReader(changed), picture.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 16, MinSide: 1})
			if err == nil && (m.Width != info.Width || m.Height != info.Height) || err != nil && !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("%s with byte %d changed: %v, %v", name, at, info, err)
			}
		}
	}
}

func TestHugeHeaderIsRefusedBeforeDecoding(t *testing.T) {
	limits := picture.DefaultLimits()
	pngHeader := "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x02\x00\x00\x00\x00\x00\x00\x00"
	vp8x := "RIFF\x30\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xffVP8L\x06\x00\x00\x00\x2f\x00\x00\x00\x00\x00"
	for name, file := range map[string]string{
		"jpeg": "\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00",
		"png":  pngHeader,
		"gif":  "GIF89a\xff\xff\xff\xff\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00;",
		"webp": vp8x,
		"bmp":  "BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x01\x00\x18\x00" + strings.Repeat("\x00", 24),
		"tiff": tiffHeader(258, 8)[:10] + "\x00\x01\x04\x00\x01\x00\x00\x00\x00\x00\x01\x00" + "\x01\x01\x04\x00\x01\x00\x00\x00\x00\x00\x01\x00" + "\x02\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			_, info, err := picture.Decode(strings.NewReader(file), limits)
			var got *picture.LimitError
			if !errors.As(err, &got) || got.What != "pixels" || got.Limit != limits.MaxPixels || !errors.Is(err, palate.ErrInvalid) {
				t.Fatalf("Decode: %v; want the pixel limit", err)
			}
			if info.Format != name || info.Width < 65535 || info.Height < 65535 {
				t.Errorf("info is %+v; want format %s and the header's size", info, name)
			}
		})
	}
}

func TestSmallFileOfALargePictureTakesNoMemory(t *testing.T) {
	dct := "\xff\xc4\x00\x14\x00\x01" + strings.Repeat("\x00", 16) // one code of one bit
	scan := "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00\x00\xff\xd9"
	for name, file := range map[string]string{
		"progressive jpeg": "\xff\xd8\xff\xc2\x00\x0b\x08\x30\x00\x30\x00\x01\x01\x11\x00" + dct + scan,
		"png":              "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x30\x00\x00\x00\x30\x00\x10\x06\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e",
	} {
		var err error
		before := allocated()
		_, _, err = picture.Decode(strings.NewReader(file), picture.DefaultLimits())
		var corrupt *picture.CorruptError
		if !errors.As(err, &corrupt) {
			t.Errorf("%s: %v; want a broken file", name, err)
		}
		if took := allocated() - before; took > 16<<20 {
			t.Errorf("%s: %d bytes took %d MiB of memory", name, len(file), took>>20)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestLimitsAreExact(t *testing.T) {
	file, err := os.ReadFile("testdata/decode/rgb.bmp") // 96 × 64
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(file))
	for _, c := range []struct {
		limits picture.Limits
		what   string // "" passes
	}{
		{picture.Limits{MaxBytes: size, MaxPixels: 96 * 64, MinSide: 64}, ""},
		{picture.Limits{MaxBytes: size - 1, MaxPixels: 96 * 64, MinSide: 64}, "bytes"},
		{picture.Limits{MaxBytes: size, MaxPixels: 96*64 - 1, MinSide: 64}, "pixels"},
		{picture.Limits{MaxBytes: size, MaxPixels: 96 * 64, MinSide: 65}, "shorter side"},
	} {
		_, _, err := picture.Decode(bytes.NewReader(file), c.limits)
		var got *picture.LimitError
		switch {
		case c.what == "" && err != nil:
			t.Errorf("%+v: %v", c.limits, err)
		case c.what != "" && (!errors.As(err, &got) || got.What != c.what):
			t.Errorf("%+v: %v; want a limit on %s", c.limits, err, c.what)
		}
	}
	err = picture.Limits{}.Validate()
	for _, field := range []string{"MaxBytes", "MaxPixels", "MinSide"} {
		if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("Validate of zero limits: %v; want it to name %s", err, field)
		}
	}
}

// goldenFiles are all inputs under testdata.
func goldenFiles(t testing.TB) []string {
	t.Helper()
	var files []string
	for _, folder := range []string{"testdata/decode/*", "testdata/more/*", "testdata/jpeg/*", "testdata/tiff/*", "testdata/simple/*"} {
		found, err := filepath.Glob(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if !strings.HasSuffix(f, ".json") && !strings.HasSuffix(f, ".want.png") {
				files = append(files, f)
			}
		}
	}
	if len(files) == 0 {
		t.Fatal("no golden files")
	}
	return files
}

func TestTruncatedFilesAreInvalid(t *testing.T) {
	for _, name := range goldenFiles(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for part := range 9 {
			cut := data[:len(data)*part/9]
			_, info, err := picture.Decode(bytes.NewReader(cut), picture.DefaultLimits())
			var corrupt *picture.CorruptError
			var unsupported *picture.UnsupportedError
			switch {
			case err == nil && info.Damage != "": // it is shown as damaged
			case !errors.As(err, &corrupt) && !errors.As(err, &unsupported):
				// An animation's first frame may be whole although the file is not.
				if err != nil || !strings.Contains(name, "animation") && !strings.Contains(name, "first.gif") {
					t.Errorf("%s cut to %d of %d bytes: %v; want a broken file", name, len(cut), len(data), err)
				}
			case !errors.Is(err, palate.ErrInvalid):
				t.Errorf("%s cut to %d bytes: %v; want palate.ErrInvalid", name, len(cut), err)
			}
		}
	}
}

func TestMissingEndMarkIsForgiven(t *testing.T) {
	for name, tail := range map[string]int{
		"testdata/more/odd420.jpg": 2, "testdata/more/rgb.jpg": 2, "testdata/more/ycck420.jpg": 2, "testdata/more/cmyk-plain.jpg": 2,
		"testdata/more/la.png": 12, "testdata/more/interlaced.gif": 1,
	} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := decodeFile(t, name)
		got, _, err := picture.Decode(bytes.NewReader(data[:len(data)-tail]), picture.DefaultLimits())
		if err != nil || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s without its last %d bytes: %v; want the same picture", name, tail, err)
		}
	}
}

func TestGarbageAfterThePictureIsIgnored(t *testing.T) {
	for _, name := range goldenFiles(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := decodeFile(t, name)
		got, _, err := picture.Decode(bytes.NewReader(append(data, "\xff\xd9garbage\x00\xff\xc0"...)), picture.DefaultLimits())
		if err != nil || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s with garbage behind: %v; want the same picture", name, err)
		}
	}
}

func TestBrokenHeadersAreInvalid(t *testing.T) {
	for name, file := range map[string]string{
		"empty":                "",
		"jpeg of zero width":   "\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x00\x01\x01\x11\x00\xff\xd9",
		"jpeg without header":  "\xff\xd8\xff\xd9",
		"jpeg scan first":      "\xff\xd8\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00",
		"png of zero height":   "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x00\x08\x02\x00\x00\x00\x00\x00\x00\x00",
		"gif without a frame":  "GIF89a\x01\x00\x01\x00\x00\x00\x00;",
		"gif of zero size":     "GIF89a\x01\x00\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x00\x00\x01\x00\x00\x02\x00;",
		"gif of unknown block": "GIF89a\x01\x00\x01\x00\x00\x00\x00\x99",
		"webp without a frame": "RIFF\x04\x00\x00\x00WEBP",
		"webp frame too large": "RIFF\x30\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00VP8L\x06\x00\x00\x00\x2f\x07\x00\x00\x00\x00",
		"bmp of two bytes":     "BM",
		"tiff without a size":  "II*\x00\x08\x00\x00\x00\x00\x00",
		"tiff pointing out":    "II*\x00\xff\xff\xff\xff\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := picture.Decode(strings.NewReader(file), picture.DefaultLimits())
			var corrupt *picture.CorruptError
			if !errors.As(err, &corrupt) || !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("Decode: %v; want a broken file", err)
			}
		})
	}
}

func TestReadersOwnErrorIsNotTheFilesFault(t *testing.T) {
	reset := errors.New("connection reset")
	_, _, err := picture.Decode(io.MultiReader(strings.NewReader("\xff\xd8\xff"), iotest.ErrReader(reset)), picture.DefaultLimits())
	if !errors.Is(err, reset) || errors.Is(err, palate.ErrInvalid) {
		t.Errorf("Decode: %v; want the reader's error, not palate.ErrInvalid", err)
	}
}
