package ort

import (
	"encoding/binary"
	"math"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// toUint8 rounds values to whole ones from 0 to 255.
func toUint8(values []float32) []uint8 {
	out := make([]uint8, len(values))
	for i, v := range values {
		out[i] = uint8(min(max(math.RoundToEven(float64(v)), 0), 255))
	}
	return out
}

// toFloat16 gives IEEE 754's binary16, the nearest, ties to even; what is too
// large is infinite.
func toFloat16(values []float32) []byte {
	out := make([]byte, 0, 2*len(values))
	for _, v := range values {
		out = binary.NativeEndian.AppendUint16(out, onnxgraph.Float16Bits(v))
	}
	return out
}
