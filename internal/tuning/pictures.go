package tuning

import (
	"context"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

// keptPixelBytes bounds what is kept of prepared pictures: 7,000 of 224 × 224
// pixels. The others are decoded again.
const keptPixelBytes = 1 << 30

// pictures gives the pictures of a training as its model takes them, and keeps
// them as the bytes that they were made of.
type pictures struct {
	collection  *ingest.Collection
	description embedder.Description
	ids         []palate.ImageID
	kept        map[int][]byte
	left        int64
	level       [3][256]float32 // normalised, of each byte
}

func newPictures(collection *ingest.Collection, d embedder.Description, ids []palate.ImageID) *pictures {
	p := &pictures{collection: collection, description: d, ids: ids, kept: make(map[int][]byte), left: keptPixelBytes}
	for c := range p.level {
		for v := range p.level[c] {
			p.level[c][v] = float32((float64(v)/255 - d.Mean[c]) / d.Std[c])
		}
	}
	return p
}

// Pixels prepares the picture of a number.
func (p *pictures) Pixels(ctx context.Context, i int) ([]float32, error) {
	if kept, there := p.kept[i]; there {
		return p.unpack(kept), nil
	}
	var in embedder.Input
	err := p.collection.Read(ctx, p.ids[i], p.description.Reading(), func(m *picture.RGB) (err error) {
		in, err = p.description.Prepare(m)
		return err
	})
	if err != nil {
		return nil, err
	}
	if packed, same := p.pack(in.Pixels); same && int64(len(packed)) <= p.left {
		p.left -= int64(len(packed))
		p.kept[i] = packed
	}
	return in.Pixels, nil
}

// pack gives the bytes that pixels were made of, if they were.
func (p *pictures) pack(pixels []float32) (packed []byte, same bool) {
	packed = make([]byte, len(pixels))
	plane := len(pixels) / 3
	for i, v := range pixels {
		c := i / plane
		b := math.Round((float64(v)*p.description.Std[c] + p.description.Mean[c]) * 255)
		if !(b >= 0 && b <= 255) || p.level[c][int(b)] != v {
			return nil, false
		}
		packed[i] = byte(b)
	}
	return packed, true
}

func (p *pictures) unpack(packed []byte) []float32 {
	pixels := make([]float32, len(packed))
	plane := len(packed) / 3
	for i, b := range packed {
		pixels[i] = p.level[i/plane][b]
	}
	return pixels
}
