package doctor

import (
	"fmt"
	"strings"

	"github.com/palate-art/palate/internal/picture"
)

// Pictures tells which kinds of files are read.
type Pictures struct {
	Read     []string          `json:"read"`
	Decoders []picture.Decoder `json:"decoders"` // of others, in a process of their own
}

func lookAtPictures() Pictures { return Pictures{picture.Formats(), picture.ForeignDecoders()} }

// String is for people.
func (p Pictures) String() string {
	text := "pictures read: " + strings.Join(p.Read, ", ")
	for _, d := range p.Decoders {
		text += fmt.Sprintf("\n%s is decoded by %s (%s), in a process of its own", d.Format, d.By, d.Licence)
	}
	return text
}

// Head is for people: the program, what it reads, and what it computes with.
func (d Diagnosis) Head() string {
	text := fmt.Sprintf("palate %s on %s\n\n%s\n", d.Version, d.Runtime.Platform, d.Pictures)
	if lib := d.Runtime.Library; lib != nil {
		return text + fmt.Sprintf("ONNX Runtime %s (%s): %s", lib.Version, lib.Origin, lib.Path)
	}
	return text + "ONNX Runtime: none"
}
