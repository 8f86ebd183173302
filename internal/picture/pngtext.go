package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"io"
	"strings"
)

// maxProfileText bounds EXIF that stands as text, which has mostly some
// kilobytes.
const maxProfileText = 1 << 20

// readProfileText notes the orientation in EXIF that stands as text, as
// ImageMagick wrote it before there was a chunk for it: its name, its length in
// bytes, and its bytes in hexadecimal digits, with lines between.
func (f *pngFile) readProfileText(kind string, body []byte) {
	keyword, text, found := bytes.Cut(body, []byte{0})
	if name := string(keyword); !found || f.asText != 0 || name != "Raw profile type exif" && name != "Raw profile type APP1" {
		return
	}
	if kind == "zTXt" {
		if len(text) < 1 || text[0] != 0 {
			return
		}
		r, err := zlib.NewReader(bytes.NewReader(text[1:]))
		if err != nil {
			return
		}
		defer r.Close()
		if text, err = io.ReadAll(io.LimitReader(r, maxProfileText)); err != nil {
			return
		}
	}
	words := strings.Fields(string(text[:min(len(text), maxProfileText)]))
	if len(words) < 3 {
		return
	}
	block, err := hex.DecodeString(strings.Join(words[2:], ""))
	if err != nil {
		return
	}
	if orientation, given := exifOrientation(block); given {
		f.asText = orientation
	}
}
