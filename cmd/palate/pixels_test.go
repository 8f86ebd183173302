package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// The one option allows a person's own file everywhere, and is named wherever
// one is refused for its size.
func TestEveryCommandThatReadsAFileKnowsMaxPixels(t *testing.T) {
	race.Long(t)
	program.AddTiny(t)
	data, folder := olderCollection(t), t.TempDir()
	m := image.NewPaletted(image.Rect(0, 0, 1300, 1000), color.Palette{color.Black, color.White})
	m.Pix[0] = 1
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(folder, "large.png")
	program.WriteFile(t, large, file.Bytes())
	for _, command := range [][]string{
		{"embed", large, "--data", data},
		{"scores", large, "--data", data},
		{"similar", large, "--data", data},
		{"sort", folder, "--dry-run", "--data", data},
		{"model", "compare", "tiny", large, "--precision", "int8"},
	} {
		refused := program.RunPalate(t, append(command, "--max-pixels", "1")...)
		if said := refused.Out + refused.Err; !bytes.Contains([]byte(said), []byte("1.3 megapixels")) || !bytes.Contains([]byte(said), []byte("--max-pixels")) {
			t.Errorf("%v up to 1 megapixel: got code %d and %q, want its size and the option", command, refused.Code, said)
		}
		if r := program.RunPalate(t, append(command, "--max-pixels", "2")...); r.Code != 0 || bytes.Contains([]byte(r.Out+r.Err), []byte("megapixels")) {
			t.Errorf("%v up to 2 megapixels: got code %d, %q and %q", command, r.Code, r.Out, r.Err)
		}
	}
	program.MustFail(t, exitFailed, []string{"--max-pixels", "-1"}, "embed", large, "--data", data, "--max-pixels=-1")
}
