package doctor

import "github.com/palate-art/palate/internal/picture"

// Pictures tells which kinds of files are read.
type Pictures struct {
	Read     []string          `json:"read"`
	Decoders []picture.Decoder `json:"decoders"` // of others, in a process of their own
}

func lookAtPictures() Pictures { return Pictures{picture.Formats(), picture.ForeignDecoders()} }
