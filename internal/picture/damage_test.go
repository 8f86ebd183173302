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

// pngPart makes a chunk; its checksum is right unless it is to be wrong.
func pngPart(kind, body string, wrong bool) []byte {
	part := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	part = append(append(part, kind...), body...)
	sum := crc32.ChecksumIEEE(part[4:])
	if wrong {
		sum++
	}
	return binary.BigEndian.AppendUint32(part, sum)
}

// What is lost of a picture that is shown is said in a sentence, and nothing of
// one that is whole.
func TestWhatIsLostOfAPictureIsSaid(t *testing.T) {
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	jpeg, progressive, png := read("jpeg/sampling-4x2.jpg"), read("more/pair-progressive.jpg"), read("more/la.png")
	header := 8 + 25 // signature and IHDR
	withPart := func(wrong bool) []byte {
		return bytes.Join([][]byte{png[:header], pngPart("tEXt", "Title\x00A title", wrong), png[header:]}, nil)
	}
	for _, test := range []struct {
		name string
		file []byte
		want string // a part of it
	}{
		{"a whole JPEG", jpeg, ""},
		{"a JPEG without its end marker", jpeg[:len(jpeg)-2], "the mark of its end is missing; all of its pixels are there"},
		{"a progressive JPEG without its end marker", progressive[:len(progressive)-2], "the mark of its end is missing"},
		{"a JPEG that ends early", read("jpeg/damaged-cut-444.jpg"), "its data end after "},
		{"a progressive JPEG that ends early", read("jpeg/damaged-cut-progressive-late.jpg"), "less sharp than it was"},
		{"a JPEG with a restart marker missing", read("jpeg/damaged-restart-missing.jpg"), " it"},
		{"a JPEG with two intervals missing", read("jpeg/damaged-restart-lost-two.jpg"), " it"},
		{"a whole PNG", png, ""},
		{"a PNG without its end chunk", png[:len(png)-12], "the mark of its end is missing"},
		{"a PNG with a right text", withPart(false), ""},
		{"a PNG with a wrong checksum beside its pixels", withPart(true), `its part "tEXt", which holds no pixels, does not match its checksum`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, info, err := picture.Decode(bytes.NewReader(test.file), picture.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Damage; !strings.Contains(got, test.want) || (got == "") != (test.want == "") || strings.ContainsAny(got, "\n\r") {
				t.Errorf("it says %q, want %q", got, test.want)
			}
			t.Log(info.Damage)
		})
	}
}

func TestOnlyRulesThatReadEveryJPEGTellAllDamage(t *testing.T) {
	for rules, want := range map[picture.Rules]bool{"": true, picture.Current(): true, picture.Former: false, picture.Current().Without(picture.JPEGWhole): true} {
		if got := rules.TellDamage(); got != want {
			t.Errorf("%q: %v, want %v", rules, got, want)
		}
	}
}
