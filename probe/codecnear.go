package probe

import (
	"encoding/binary"
	"math"

	"github.com/palate-art/palate"
)

// neighbourPrefix is the bytes of a neighbour before its embedding.
const neighbourPrefix = len(palate.ImageID{}) + 4 + 1

// appendNeighbours writes one side; those without an image always with their
// embeddings.
func appendNeighbours(out []byte, side []Neighbour, whole bool) []byte {
	out = binary.LittleEndian.AppendUint32(out, uint32(len(side)))
	for _, x := range side {
		out = append(out, x.Image[:]...)
		out = binary.LittleEndian.AppendUint32(out, uint32(x.Work))
		if x.Embedding != nil && (whole || x.Image.IsZero()) {
			out = appendFloats(append(out, 1), x.Embedding)
		} else {
			out = append(out, 0)
		}
	}
	return out
}

// read takes both sides from bytes that hold nothing else.
func (n *Nearness) read(b []byte, dim int) error {
	for _, side := range []*[]Neighbour{&n.Likes, &n.Dislikes} {
		if len(b) < 4 {
			return invalid("a damaged probe: its neighbours end before they are whole")
		}
		count := binary.LittleEndian.Uint32(b)
		b = b[4:]
		for range count {
			if len(b) < neighbourPrefix {
				return invalid("a damaged probe: its neighbours end before they are whole")
			}
			x := Neighbour{Image: palate.ImageID(b), Work: int(binary.LittleEndian.Uint32(b[len(palate.ImageID{}):]))}
			flag := b[neighbourPrefix-1]
			b = b[neighbourPrefix:]
			switch {
			case flag == 1 && len(b) >= 4*dim && dim > 0:
				x.Embedding, b = floatsOf(b, dim)
			case flag != 0:
				return invalid("a damaged probe: its neighbours end before they are whole")
			}
			*side = append(*side, x)
		}
	}
	if len(b) > 0 {
		return invalid("a damaged probe: %d bytes behind its neighbours", len(b))
	}
	n.index()
	return nil
}

func appendFloats(out []byte, values []float32) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

// floatsOf reads so many values, which are there, and gives the rest.
func floatsOf(b []byte, n int) (values []float32, rest []byte) {
	values = make([]float32, n)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return values, b[4*n:]
}
