package museum

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

const jpegQuality = 88

// file is a picture as bytes, made on first use.
type file struct {
	once sync.Once
	data []byte
	sum  [sha256.Size]byte
	err  error

	thumbs sync.Map // width -> *file
}

// original gives the file of work i.
func (m *Museum) original(i int) (*file, error) {
	f := &m.files[i]
	f.once.Do(func() {
		f.data, f.err = m.encode(i)
		f.sum = sha256.Sum256(f.data)
	})
	return f, f.err
}

// File gives the picture of the work as it is served; it must not be
// changed. It panics if there is no such work.
func (m *Museum) File(index int) ([]byte, error) {
	f, err := m.original(index)
	if err != nil {
		return nil, err
	}
	return f.data, nil
}

func (m *Museum) encode(i int) ([]byte, error) {
	w := m.works[i]
	img := draw(m.cfg.Seed, i, m.styleIndex[i], w.Width, w.Height)
	var out bytes.Buffer
	var err error
	switch w.ContentType {
	case "image/png":
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img)
	case "image/gif":
		err = gif.Encode(&out, quantise(img), nil)
	default:
		err = jpeg.Encode(&out, lay(img, w.Orientation), &jpeg.Options{Quality: jpegQuality})
	}
	if err != nil {
		return nil, fmt.Errorf("museum: encode work %d: %w", i, err)
	}
	if w.Orientation != 1 {
		return withOrientation(out.Bytes(), w.Orientation), nil
	}
	return out.Bytes(), nil
}

// thumbnail gives the work scaled to the width, as a JPEG. (MediaWiki keeps
// a PNG's format; crawlers must go by the content type anyway.)
func (m *Museum) thumbnail(i, width int) ([]byte, error) {
	f, err := m.original(i)
	if err != nil {
		return nil, err
	}
	kept, _ := f.thumbs.LoadOrStore(width, new(file))
	thumb := kept.(*file)
	thumb.once.Do(func() {
		thumb.data, thumb.err = scale(f.data, width)
	})
	return thumb.data, thumb.err
}

func scale(data []byte, width int) ([]byte, error) {
	img, _, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("museum: thumbnail: %w", err)
	}
	small, err := picture.Resize(img, width, thumbHeight(img.Width, img.Height, width))
	if err != nil {
		return nil, fmt.Errorf("museum: thumbnail: %w", err)
	}
	var out bytes.Buffer
	if err := picture.EncodeJPEG(&out, small, jpegQuality); err != nil {
		return nil, fmt.Errorf("museum: thumbnail: %w", err)
	}
	return out.Bytes(), nil
}

func thumbHeight(width, height, thumbWidth int) int {
	return max((height*thumbWidth+width/2)/width, 1)
}

// Artwork gives the work with what its file is; it draws the picture if
// nobody has asked for it yet. It panics if there is no such work.
func (m *Museum) Artwork(index int) (Artwork, error) {
	f, err := m.original(index)
	if err != nil {
		return Artwork{}, err
	}
	return Artwork{Work: m.works[index], ImageID: palate.NewImageID(f.sum), SHA256: f.sum, Bytes: len(f.data)}, nil
}

// lay turns upright pixels into those of a file with the orientation.
func lay(img *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	fw, fh := w, h
	if orientation >= 5 {
		fw, fh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, fw, fh))
	for y := range h {
		for x := range w {
			// Where EXIF 2.32 (tag 274) puts the upright pixel (x, y).
			var fx, fy int
			switch orientation {
			case 2:
				fx, fy = w-1-x, y
			case 3:
				fx, fy = w-1-x, h-1-y
			case 4:
				fx, fy = x, h-1-y
			case 5:
				fx, fy = y, x
			case 6:
				fx, fy = y, w-1-x
			case 7:
				fx, fy = h-1-y, w-1-x
			case 8:
				fx, fy = h-1-y, x
			}
			copy(out.Pix[out.PixOffset(fx, fy):][:4], img.Pix[img.PixOffset(x, y):][:4])
		}
	}
	return out
}

// withOrientation puts an EXIF segment behind the JPEG's start marker.
func withOrientation(jpg []byte, orientation int) []byte {
	exif := []byte("Exif\x00\x00MM\x00*")
	exif = binary.BigEndian.AppendUint32(exif, 8) // offset of the first directory
	exif = binary.BigEndian.AppendUint16(exif, 1) // with one entry
	for _, v := range []uint16{274, 3, 0, 1, uint16(orientation), 0} {
		exif = binary.BigEndian.AppendUint16(exif, v) // tag, SHORT, count (32 bits), value, padding
	}
	exif = binary.BigEndian.AppendUint32(exif, 0) // no further directory
	out := append([]byte{}, jpg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	return append(append(out, exif...), jpg[2:]...)
}
