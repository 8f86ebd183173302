package ort

import (
	"encoding/binary"
	"math"
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
		out = binary.NativeEndian.AppendUint16(out, float16Bits(v))
	}
	return out
}

func float16Bits(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, size := uint16(bits>>16)&0x8000, math.Abs(float64(v))
	switch {
	case v == 0:
		return sign
	case v != v:
		return sign | 0x7e00
	case size >= 65520:
		return sign | 0x7c00
	}
	_, exponent := math.Frexp(size) // size is below 2^exponent
	unit := math.Ldexp(1, max(exponent-11, -24))
	steps := uint16(math.RoundToEven(size / unit))
	if exponent-11 <= -24 {
		return sign | steps // subnormal, or the first normal
	}
	return sign | (uint16(exponent+14)<<10 + steps - 1<<10)
}
