package picture

// Decoder is code of others in this program that decodes a format.
type Decoder struct {
	Format  string `json:"format"`
	By      string `json:"by"`
	Licence string `json:"licence"`
}

// Formats are the kinds of files that are read, in the words of people.
func Formats() []string {
	return []string{"JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "Netpbm", "TGA", "HEIC", "AVIF"}
}

// ForeignDecoders are those whose licence is to be told.
func ForeignDecoders() []Decoder {
	return []Decoder{
		{"HEIC", "libheif 1.18.2 with libde265 1.0.15", "LGPL-3.0"},
		{"AVIF", "libavif 1.1.1 with libaom 3.10.0", "BSD-2-Clause"},
	}
}

// formatNames are the formats of Info in the words of people.
var formatNames = map[string]string{
	formatJPEG: "JPEG", formatPNG: "PNG", formatGIF: "GIF", formatWebP: "WebP", formatBMP: "BMP",
	formatTIFF: "TIFF", formatNetpbm: "Netpbm", formatTGA: "TGA", formatHEIC: "HEIC", formatAVIF: "AVIF",
}
