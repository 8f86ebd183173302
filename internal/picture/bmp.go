package picture

import (
	"bytes"
	"errors"

	"golang.org/x/image/bmp"
)

type bmpFile struct {
	data          []byte
	width, height int
}

func openBMP(data []byte) (file, error) {
	c, err := bmp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, bmpError(err)
	}
	return &bmpFile{data: data, width: c.Width, height: c.Height}, nil
}

func (f *bmpFile) stored() (width, height, orientation int) { return f.width, f.height, 1 }

func (f *bmpFile) decode() (*RGB, error) {
	m, err := bmp.Decode(bytes.NewReader(f.data))
	if err != nil {
		return nil, bmpError(err)
	}
	return FromImage(m), nil
}

func bmpError(err error) error {
	if errors.Is(err, bmp.ErrUnsupported) {
		return &UnsupportedError{Kind: "compressed BMP"}
	}
	return &CorruptError{Format: formatBMP, Err: err}
}
