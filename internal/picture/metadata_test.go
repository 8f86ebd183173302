package picture_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

const packet = `<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>`

// withSegment puts a segment right behind a JPEG's first marker.
func withSegment(file []byte, marker byte, body string) []byte {
	segment := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2))
	return append(append(append([]byte{}, file[:2]...), append(segment, body...)...), file[2:]...)
}

// withChunk puts a chunk behind a PNG's header; wrong spoils its checksum.
func withChunk(file []byte, kind, body string, wrong uint32) []byte {
	const header = 8 + 12 + 13
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, kind...), body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:])^wrong)
	return append(append(append([]byte{}, file[:header]...), chunk...), file[header:]...)
}

func TestOrientationOfXMPCountsWhereEXIFGivesNone(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	jpeg, turned, png := read("testdata/more/odd420.jpg"), read("testdata/decode/exif3.jpg"), read("testdata/more/la.png")
	for name, tc := range map[string]struct {
		file []byte
		want int
	}{
		"JPEG":                  {withSegment(jpeg, 0xe1, "http://ns.adobe.com/xap/1.0/\x00"+packet), 6},
		"JPEG, as an element":   {withSegment(jpeg, 0xe1, "http://ns.adobe.com/xap/1.0/\x00<tiff:Orientation>8</tiff:Orientation>"), 8},
		"JPEG with EXIF":        {withSegment(turned, 0xe1, "http://ns.adobe.com/xap/1.0/\x00"+packet), 3},
		"JPEG, no orientation":  {withSegment(jpeg, 0xe1, "http://ns.adobe.com/xap/1.0/\x00"+strings.Replace(packet, "6", "9", 1)), 1},
		"PNG":                   {withChunk(png, "iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+packet, 0), 6},
		"PNG of another packet": {withChunk(png, "iTXt", "Comment\x00\x00\x00\x00\x00"+packet, 0), 1},
	} {
		m, info, err := picture.Decode(bytes.NewReader(tc.file), picture.DefaultLimits())
		if err != nil || info.Orientation != tc.want || m.Width != info.Width {
			t.Errorf("%s: %+v, %v; want orientation %d", name, info, err, tc.want)
		}
		rules := picture.Current().Without(picture.XMPOrientation)
		_, former, err := picture.Read(bytes.NewReader(tc.file), picture.DefaultLimits(), picture.Reading{Rules: rules})
		byXMP := tc.want == 6 || tc.want == 8
		if err != nil || byXMP && former.Orientation != 1 || !byXMP && former.Orientation != tc.want {
			t.Errorf("%s without the rule: %+v, %v", name, former, err)
		}
		if differs, err := picture.Differs(bytes.NewReader(tc.file), picture.DefaultLimits(), rules, picture.Current(), 1000); err != nil || differs != byXMP {
			t.Errorf("%s: the rule touches it: %v, %v", name, differs, err)
		}
	}
}

// A checksum that is wrong in a part that has no pixels is nobody's loss.
func TestPNGWithAWrongChecksumBesideItsPixelsIsShown(t *testing.T) {
	data, err := os.ReadFile("testdata/more/la.png")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := decodeFile(t, "testdata/more/la.png")
	file := withChunk(data, "tEXt", "Title\x00a cat", 1)
	got, _, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
	if err != nil || !bytes.Equal(got.Pix, want.Pix) {
		t.Errorf("got %v; want the same picture", err)
	}
	if _, state, err := picture.Inspect(file, picture.DefaultLimits()); err != nil || state != picture.Whole {
		t.Errorf("by its structure it is %v, %v; want it whole", state, err)
	}
	at := bytes.Index(data, []byte("IDAT"))
	spoiled := bytes.Clone(data)
	spoiled[at-4+8+int(binary.BigEndian.Uint32(data[at-4:]))] ^= 1
	if _, info, err := picture.Decode(bytes.NewReader(spoiled), picture.DefaultLimits()); err != nil || !strings.Contains(info.Damage, "the checksum of its pixels is wrong") {
		t.Errorf("a wrong checksum of the pixels: got %q and %v", info.Damage, err)
	}
}
