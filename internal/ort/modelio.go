package ort

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The element types of inputs that Session.Run converts its tensors to; outputs
// are Float32.
const (
	Float32 = "float32"
	Float16 = "float16"
	Uint8   = "uint8"
)

// elementTypes are the values of TensorProto.DataType in onnx.proto.
var elementTypes = []string{
	1: Float32, 2: Uint8, 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string",
	9: "bool", 10: Float16, 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
}

// IOInfo is an input or output as the model declares it.
type IOInfo struct {
	Name string
	// Shape has -1 for a dimension of any size. It is nil if the model says
	// nothing of the shape.
	Shape []int64
	// ElementType is float32, int64, … or "not a tensor".
	ElementType string

	shaped   bool
	dimNames []string // parallel to Shape, empty for a nameless dimension
}

func cloneInfos(infos []IOInfo) []IOInfo {
	clone := slices.Clone(infos)
	for i := range clone {
		clone[i].Shape = slices.Clone(clone[i].Shape)
		clone[i].dimNames = nil
	}
	return clone
}

// Field numbers of onnx.proto.
const (
	modelGraph             = 7
	graphInitializer       = 5
	graphInput             = 11
	graphOutput            = 12
	graphSparseInitializer = 15
	tensorName             = 8
	sparseValues           = 1
	valueName              = 1
	valueType              = 2
	typeTensor             = 1
	tensorTypeElement      = 1
	tensorTypeShape        = 2
	shapeDim               = 1
	dimValue               = 1
	dimParam               = 2
)

// modelIO reads the declared inputs and outputs. ONNX Runtime's own answer is
// had only from a session that is built for nothing but asking, which takes
// the time and memory of a second load.
func modelIO(model []byte) (inputs, outputs []IOInfo, err error) {
	if len(model) == 0 {
		return nil, nil, errors.New("the model is empty")
	}
	graphs := 0
	initialized := map[string]bool{}
	err = eachField(model, func(f protoField) error {
		if f.number != modelGraph || !f.isBytes {
			return nil
		}
		graphs++
		return eachField(f.bytes, func(f protoField) error {
			if !f.isBytes {
				return nil
			}
			var err error
			var info IOInfo
			var name string
			switch f.number {
			case graphInput:
				info, err = readValue(f.bytes)
				inputs = append(inputs, info)
			case graphOutput:
				info, err = readValue(f.bytes)
				outputs = append(outputs, info)
			case graphInitializer:
				name, err = readName(f.bytes, tensorName)
				initialized[name] = true
			case graphSparseInitializer:
				err = eachField(f.bytes, func(f protoField) error {
					if f.number != sparseValues || !f.isBytes {
						return nil
					}
					name, err := readName(f.bytes, tensorName)
					initialized[name] = true
					return err
				})
			}
			return err
		})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("the file is no ONNX model or is cut: %w", err)
	}
	if graphs != 1 {
		return nil, nil, errors.New("the file is no ONNX model: it has no graph")
	}
	// Before IR version 4 weights were listed among the inputs.
	inputs = slices.DeleteFunc(inputs, func(i IOInfo) bool { return initialized[i.Name] })
	if len(inputs) == 0 || len(outputs) == 0 {
		return nil, nil, fmt.Errorf("the model has %d inputs and %d outputs", len(inputs), len(outputs))
	}
	return inputs, outputs, nil
}

func readName(message []byte, number int) (name string, err error) {
	err = eachField(message, func(f protoField) error {
		if f.number == number && f.isBytes {
			name = string(f.bytes)
		}
		return nil
	})
	return name, err
}

func readValue(message []byte) (IOInfo, error) {
	info := IOInfo{ElementType: "not a tensor"}
	err := eachField(message, func(f protoField) error {
		switch {
		case f.number == valueName && f.isBytes:
			info.Name = string(f.bytes)
		case f.number == valueType && f.isBytes:
			return eachField(f.bytes, func(f protoField) error {
				if f.number != typeTensor || !f.isBytes {
					return nil
				}
				return info.readTensorType(f.bytes)
			})
		}
		return nil
	})
	return info, err
}

func (info *IOInfo) readTensorType(message []byte) error {
	return eachField(message, func(f protoField) error {
		switch {
		case f.number == tensorTypeElement && !f.isBytes:
			info.ElementType = fmt.Sprintf("type %d", f.varint)
			if f.varint > 0 && f.varint < uint64(len(elementTypes)) {
				info.ElementType = elementTypes[f.varint]
			}
		case f.number == tensorTypeShape && f.isBytes:
			info.shaped, info.Shape, info.dimNames = true, []int64{}, nil
			return eachField(f.bytes, func(f protoField) error {
				if f.number != shapeDim || !f.isBytes {
					return nil
				}
				return info.readDim(f.bytes)
			})
		}
		return nil
	})
}

func (info *IOInfo) readDim(message []byte) error {
	size, name := int64(-1), ""
	err := eachField(message, func(f protoField) error {
		switch {
		case f.number == dimValue && !f.isBytes:
			size, name = int64(f.varint), ""
		case f.number == dimParam && f.isBytes:
			size, name = -1, string(f.bytes)
		}
		return nil
	})
	info.Shape = append(info.Shape, max(size, -1))
	info.dimNames = append(info.dimNames, name)
	return err
}

// protoField is one field of a protobuf message.
type protoField struct {
	number  int
	isBytes bool
	varint  uint64
	bytes   []byte
}

var errProto = errors.New("bad protobuf")

// eachField calls use with every field of the message, in order.
func eachField(message []byte, use func(protoField) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return errProto
		}
		message = message[n:]
		f := protoField{number: int(tag >> 3)}
		size := uint64(0)
		switch tag & 7 {
		case 0:
			f.varint, n = binary.Uvarint(message)
			if n <= 0 {
				return errProto
			}
			size = uint64(n)
		case 1:
			size = 8
		case 5:
			size = 4
		case 2:
			length, n := binary.Uvarint(message)
			if n <= 0 {
				return errProto
			}
			message = message[n:]
			size, f.isBytes = length, true
		default:
			return errProto
		}
		if size > uint64(len(message)) {
			return errProto
		}
		if f.isBytes {
			f.bytes = message[:size]
		}
		message = message[size:]
		if err := use(f); err != nil {
			return err
		}
	}
	return nil
}

// Declared reads which inputs and outputs a model declares, without loading
// it.
func Declared(model []byte) (inputs, outputs []IOInfo, err error) {
	inputs, outputs, err = modelIO(model)
	return cloneInfos(inputs), cloneInfos(outputs), err
}
