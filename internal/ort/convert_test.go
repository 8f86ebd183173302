package ort

import (
	"encoding/binary"
	"math"
	"testing"
)

// Every float16 survives both ways, and what lies between two becomes the
// nearer, the even one halfway.
func TestFloat16BothWays(t *testing.T) {
	for bits := range 1 << 16 {
		v := fromFloat16([]byte{byte(bits), byte(bits >> 8)})[0]
		if v != v {
			continue
		}
		if got := float16Bits(v); int(got) != bits {
			t.Fatalf("%#x is %v and comes back as %#x", bits, v, got)
		}
		if next := fromFloat16([]byte{byte(bits + 1), byte((bits + 1) >> 8)})[0]; bits&0x7fff < 0x7bff {
			middle := (float64(v) + float64(next)) / 2
			even := uint16(bits + bits&1)
			if got := float16Bits(float32(middle)); got != even {
				t.Fatalf("halfway from %#x: got %#x, want %#x", bits, got, even)
			}
		}
	}
	if float16Bits(65520) != 0x7c00 || float16Bits(float32(math.NaN()))&0x7c00 != 0x7c00 {
		t.Error("what is too large is not infinite, or NaN is lost")
	}
	if got := toUint8([]float32{-3, .5, 1.5, 254.6, 300}); string(got) != string([]uint8{0, 0, 2, 255, 255}) {
		t.Errorf("got %v", got)
	}
}

// fromFloat16 is the way back, without loss.
func fromFloat16(bytes []byte) []float32 {
	out := make([]float32, len(bytes)/2)
	for i := range out {
		bits := binary.NativeEndian.Uint16(bytes[2*i:])
		exponent, steps := int(bits>>10&31), float64(bits&0x3ff)
		var v float64
		switch exponent {
		case 31:
			v = math.Inf(1)
			if steps != 0 {
				v = math.NaN()
			}
		case 0:
			v = math.Ldexp(steps, -24)
		default:
			v = math.Ldexp(steps+1024, exponent-25)
		}
		if bits&0x8000 != 0 {
			v = -v
		}
		out[i] = float32(v)
	}
	return out
}
