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
