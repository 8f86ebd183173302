package onnxgraph

import (
	"encoding/binary"
	"fmt"
	"math"
)

// ElementType is TensorProto.DataType.
type ElementType int32

// The element types.
const (
	Float32  ElementType = 1
	Uint8    ElementType = 2
	Int8     ElementType = 3
	Uint16   ElementType = 4
	Int16    ElementType = 5
	Int32    ElementType = 6
	Int64    ElementType = 7
	String   ElementType = 8
	Bool     ElementType = 9
	Float16  ElementType = 10
	Float64  ElementType = 11
	Uint32   ElementType = 12
	Uint64   ElementType = 13
	BFloat16 ElementType = 16
)

var elementTypes = map[ElementType]struct {
	name string
	size int
}{
	Float32: {"float32", 4}, Uint8: {"uint8", 1}, Int8: {"int8", 1}, Uint16: {"uint16", 2}, Int16: {"int16", 2},
	Int32: {"int32", 4}, Int64: {"int64", 8}, String: {"string", 0}, Bool: {"bool", 1}, Float16: {"float16", 2},
	Float64: {"float64", 8}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8}, BFloat16: {"bfloat16", 2},
}

// String names the type as NumPy does.
func (t ElementType) String() string {
	if e, ok := elementTypes[t]; ok {
		return e.name
	}
	return fmt.Sprintf("type %d", int32(t))
}

// Tensor is a dense constant. An empty Shape is a scalar.
type Tensor struct {
	Name  string
	Type  ElementType
	Shape []int64
	// Raw holds the elements row by row, little-endian, in the type's size.
	Raw []byte
	// Strings holds the elements of a String tensor, which has no Raw.
	Strings [][]byte

	external *place // where the elements are, if not in the model's file
}

// Float32s is a tensor of float32. It copies values.
func Float32s(shape []int64, values []float32) Tensor {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return Tensor{Type: Float32, Shape: shape, Raw: raw}
}

// Float64s is a tensor of float64.
func Float64s(shape []int64, values []float64) Tensor {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	return Tensor{Type: Float64, Shape: shape, Raw: raw}
}

// Int64s is a tensor of int64.
func Int64s(shape []int64, values []int64) Tensor {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return Tensor{Type: Int64, Shape: shape, Raw: raw}
}

// Int32s is a tensor of int32.
func Int32s(shape []int64, values []int32) Tensor {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	return Tensor{Type: Int32, Shape: shape, Raw: raw}
}

// Int8s is a tensor of int8.
func Int8s(shape []int64, values []int8) Tensor {
	raw := make([]byte, len(values))
	for i, v := range values {
		raw[i] = byte(v)
	}
	return Tensor{Type: Int8, Shape: shape, Raw: raw}
}

// Bools is a tensor of bool.
func Bools(shape []int64, values []bool) Tensor {
	raw := make([]byte, len(values))
	for i, v := range values {
		if v {
			raw[i] = 1
		}
	}
	return Tensor{Type: Bool, Shape: shape, Raw: raw}
}

// Scalar is a float32 without dimensions.
func Scalar(v float32) Tensor { return Float32s(nil, []float32{v}) }

// Vector is an int64 tensor of one dimension, as shapes and axes are given.
func Vector(values ...int64) Tensor { return Int64s([]int64{int64(len(values))}, values) }

func (t Tensor) validate() error {
	e, known := elementTypes[t.Type]
	if !known {
		return fmt.Errorf("element %s is not known", t.Type)
	}
	count := int64(1)
	for _, d := range t.Shape {
		if d < 0 || d > 0 && count > math.MaxInt32/d {
			return fmt.Errorf("shape %v is negative or too large", t.Shape)
		}
		count *= d
	}
	if t.Type == String {
		if int64(len(t.Strings)) != count || len(t.Raw) > 0 {
			return fmt.Errorf("shape %v wants %d strings, got %d and %d raw bytes", t.Shape, count, len(t.Strings), len(t.Raw))
		}
		return nil
	}
	if want := count * int64(e.size); int64(len(t.Raw)) != want || len(t.Strings) > 0 {
		return fmt.Errorf("%s of shape %v wants %d raw bytes, got %d and %d strings", t.Type, t.Shape, want, len(t.Raw), len(t.Strings))
	}
	return nil
}

// Float16s is a tensor of float16, the values rounded to the nearest, halves
// to even. finite is false if a finite value became infinite.
func Float16s(shape []int64, values []float32) (t Tensor, finite bool) {
	raw := make([]byte, 0, 2*len(values))
	finite = true
	for _, v := range values {
		half := Float16Bits(v)
		finite = finite && (half&0x7c00 != 0x7c00 || v-v != 0)
		raw = binary.LittleEndian.AppendUint16(raw, half)
	}
	return Tensor{Type: Float16, Shape: shape, Raw: raw}, finite
}

// Float16Bits rounds to IEEE 754's binary16: one bit of sign, five of
// exponent (bias 15), ten of fraction.
func Float16Bits(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits >> 16 & 0x8000)
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude > 0x7f800000: // NaN
		return sign | 0x7e00
	case magnitude >= 0x477ff000: // 65520, half a step beyond the largest, and more
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2⁻¹⁴: a multiple of 2⁻²⁴
		steps := math.RoundToEven(float64(math.Float32frombits(magnitude)) * (1 << 24))
		return sign | uint16(steps)
	}
	// Thirteen bits of fraction go; a carry runs into the exponent rightly.
	rounded := magnitude + 0xfff + magnitude>>13&1
	return sign | uint16(rounded>>13-(127-15)<<10)
}
