package safetensors

import (
	"encoding/binary"
	"math"
)

// DType is a type of element, in the format's own spelling.
type DType string

// The types that can be read as float32.
const (
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
)

// elementBits holds every type that the format knows.
var elementBits = map[DType]int64{
	"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
	"F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, F16: 16, BF16: 16, "I32": 32, "U32": 32, F32: 32,
	"C64": 64, "F64": 64, "I64": 64, "U64": 64,
}

// decoder turns little-endian elements into float32s, as many as out holds.
type decoder struct {
	size   int64 // bytes of one element
	decode func(out []float32, raw []byte)
}

var decoders = map[DType]decoder{
	F32: {4, func(out []float32, raw []byte) {
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}},
	F16: {2, func(out []float32, raw []byte) {
		for i := range out {
			out[i] = Float16(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	}},
	BF16: {2, func(out []float32, raw []byte) {
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	}},
}

// Float16 is the value of IEEE 754's binary16: one bit of sign, five of
// exponent (bias 15), ten of fraction.
func Float16(bits uint16) float32 {
	sign := uint32(bits>>15) << 31
	exponent, fraction := uint32(bits>>10&31), uint32(bits&0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction · 2⁻²⁴, exact in float32
		value := float32(fraction) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(value))
	case 31: // infinity or NaN, whose payload is kept
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
