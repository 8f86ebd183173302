package picture

import (
	"bytes"
	"strings"

	"github.com/palate-art/palate/internal/picture/heif"
)

// The formats that are read, as Info.Format names them.
const (
	formatJPEG = "jpeg"
	formatPNG  = "png"
	formatGIF  = "gif"
	formatWebP = "webp"
	formatBMP  = "bmp"
	formatTIFF = "tiff"

	formatNetpbm = "netpbm"
	formatTGA    = "tga"

	formatHEIC = "heic"
	formatAVIF = "avif"
)

// signatures are compared in order with the beginning of the file; '?'
// stands for any byte. The table is never written.
var signatures = []struct {
	magic  string
	format string // read here
	kind   string // known, but not read
}{
	{magic: "\xff\xd8\xff", format: formatJPEG},
	{magic: "\x89PNG\r\n\x1a\n", format: formatPNG},
	{magic: "GIF87a", format: formatGIF},
	{magic: "GIF89a", format: formatGIF},
	{magic: "RIFF????WEBP", format: formatWebP},
	{magic: "II*\x00????CR", kind: "camera raw"},
	{magic: "II*\x00", format: formatTIFF},
	{magic: "MM\x00*", format: formatTIFF},
	{magic: "II+\x00", format: formatTIFF},
	{magic: "MM\x00+", format: formatTIFF},
	{magic: "II\xbc\x01", kind: "JPEG XR"},
	{magic: "\xff\x0a", kind: "JPEG XL"},
	{magic: "\x00\x00\x00\x0cJXL \r\n\x87\n", kind: "JPEG XL"},
	{magic: "\x00\x00\x00\x0cjP  \r\n\x87\n", kind: "JPEG 2000"},
	{magic: "\xff\x4f\xff\x51", kind: "JPEG 2000"},
	{magic: "\x8aMNG\r\n\x1a\n", kind: "MNG"},
	{magic: "\x8bJNG\r\n\x1a\n", kind: "JNG"},
	{magic: "%PDF-", kind: "PDF"},
	{magic: "%!PS", kind: "PostScript"},
	{magic: "\xc5\xd0\xd3\xc6", kind: "PostScript"},
	{magic: "8BPS", kind: "Photoshop"},
	{magic: "gimp xcf", kind: "XCF"},
	{magic: "AT&TFORM", kind: "DjVu"},
	{magic: "v/1\x01", kind: "OpenEXR"},
	{magic: "#?RADIANCE", kind: "Radiance HDR"},
	{magic: "qoif", kind: "QOI"},
	{magic: "PF\n", kind: "floating-point Netpbm"},
	{magic: "Pf\n", kind: "floating-point Netpbm"},
	{magic: "\x0a\x05\x01", kind: "PCX"},
	{magic: "\x0a\x03\x01", kind: "PCX"},
	{magic: "\x28\x00\x00\x00????????\x01\x00", kind: "DIB"},
	{magic: "DDS ", kind: "DDS"},
	{magic: "\x00\x00\x01\x00", kind: "ICO"},
	{magic: "\x00\x00\x02\x00", kind: "ICO"},
	{magic: "\xd7\xcd\xc6\x9a", kind: "WMF"},
	{magic: "RIFF????AVI ", kind: "video"},
	{magic: "RIFF????WAVE", kind: "audio"},
	{magic: "\x1a\x45\xdf\xa3", kind: "video"},
	{magic: "OggS", kind: "audio"},
	{magic: "ID3", kind: "audio"},
	{magic: "PK\x03\x04", kind: "ZIP"},
	{magic: "\x1f\x8b", kind: "gzip"},
	{magic: "7z\xbc\xaf\x27\x1c", kind: "7z"},
	{magic: "Rar!", kind: "RAR"},
}

// sniff names the format of a file from its first bytes, and errs with the
// kind where it is one that can't be read. Names and media types that came
// with the file are not asked: they lie too often.
func sniff(data []byte) (string, error) {
	if len(data) == 0 {
		return "", &CorruptError{Err: errEmpty}
	}
	// An icon or cursor begins like it, and goes on with how many it has.
	if isTGA(data) {
		return formatTGA, nil
	}
	for _, s := range signatures {
		if !matches(data, s.magic) {
			continue
		}
		if s.format == "" {
			return "", &UnsupportedError{Kind: s.kind}
		}
		return s.format, nil
	}
	if heif.IsHEIF(data) {
		return formatHEIC, nil
	}
	if kind := isoMediaKind(data); kind != "" {
		return "", &UnsupportedError{Kind: kind}
	}
	if isBMP(data) {
		return formatBMP, nil
	}
	if isNetpbm(data) {
		return formatNetpbm, nil
	}
	if kind := textKind(data); kind != "" {
		return "", &UnsupportedError{Kind: kind}
	}
	return "", &UnsupportedError{Kind: "unknown"}
}

func matches(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && data[i] != magic[i] {
			return false
		}
	}
	return true
}

// isoMediaKind reads the brands of an ISO base media file (ISO/IEC 14496-12):
// what is no HEIF is video most of the time.
func isoMediaKind(data []byte) string {
	if !matches(data, "????ftyp") || len(data) < 12 {
		return ""
	}
	size := int(min(uint32(data[0])<<24|uint32(data[1])<<16|uint32(data[2])<<8|uint32(data[3]), 256))
	brands := string(data[8:max(12, min(size, len(data)))])
	// The major brand alone may say only "mif1", an image of some coding.
	for i := 0; i+4 <= len(brands); i += 4 {
		switch brands[i : i+4] {
		case "avif", "avis":
			return "AVIF"
		case "crx ":
			return "camera raw"
		}
	}
	switch brands[:4] {
	case "jp2 ", "jpx ":
		return "JPEG 2000"
	case "jxl ":
		return "JPEG XL"
	}
	return "video"
}

// isBMP asks for more than the two letters, which begin many a text.
func isBMP(data []byte) bool {
	if len(data) < 2 || string(data[:2]) != "BM" {
		return false
	}
	if len(data) < 18 {
		return len(data) < 6 || data[2] < ' '
	}
	switch data[14] {
	case 12, 16, 40, 52, 56, 64, 108, 124:
		return data[15] == 0 && data[16] == 0 && data[17] == 0
	}
	return false
}

func isNetpbm(data []byte) bool {
	return len(data) > 2 && data[0] == 'P' && data[1] >= '1' && data[1] <= '7' &&
		strings.IndexByte(" \t\r\n#", data[2]) >= 0
}

// textKind tells the texts that servers send in a picture's place.
func textKind(data []byte) string {
	head := bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\xef\xbb\xbf"))
	if bytes.IndexByte(head, 0) >= 0 {
		return ""
	}
	lower := strings.ToLower(strings.TrimSpace(string(head)))
	switch {
	case lower == "":
		return "text"
	case lower[0] == '{' || lower[0] == '[':
		return "JSON"
	case lower[0] == '<':
		// An HTML page may hold drawings, a drawing hardly a page.
		for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<script", "<title"} {
			if strings.HasPrefix(lower, tag) {
				return "HTML"
			}
		}
		switch {
		case strings.Contains(lower, "<svg"):
			return "SVG"
		case strings.Contains(lower, "<html"):
			return "HTML"
		}
		return "XML"
	}
	for _, b := range head {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f' {
			return ""
		}
	}
	return "text"
}
