package ort_test

import "encoding/binary"

// The tests write their models by hand, in the wire form of onnx.proto, so
// that they depend on no other writer.

func varint(number int, v int64) []byte {
	b := binary.AppendUvarint(nil, uint64(number)<<3)
	return binary.AppendUvarint(b, uint64(v))
}

func message(number int, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	b := binary.AppendUvarint(nil, uint64(number)<<3|2)
	b = binary.AppendUvarint(b, uint64(len(body)))
	return append(b, body...)
}

func text(number int, s string) []byte { return message(number, []byte(s)) }

// tensorValue is a ValueInfoProto; a dim is an int for a fixed size, a string
// for a named one.
func tensorValue(number int, name string, element int64, dims ...any) []byte {
	var shape [][]byte
	for _, d := range dims {
		switch d := d.(type) {
		case int:
			shape = append(shape, message(1, varint(1, int64(d))))
		case string:
			shape = append(shape, message(1, text(2, d)))
		}
	}
	return message(number, text(1, name), message(2, message(1, varint(1, element), message(2, shape...))))
}

func node(op string, inputs []string, output string) []byte {
	var parts [][]byte
	for _, in := range inputs {
		parts = append(parts, text(1, in))
	}
	parts = append(parts, text(2, output), text(4, op))
	return message(1, parts...)
}

func model(graph ...[]byte) []byte {
	var b []byte
	b = append(b, varint(1, 8)...)              // IR version
	b = append(b, message(8, varint(2, 17))...) // opset 17
	graph = append(graph, text(2, "test"))
	return append(b, message(7, graph...)...)
}

// doubling is Y = X + X with X of N x 3, and Z = Y + X.
func doubling() []byte {
	return model(
		node("Add", []string{"X", "X"}, "Y"),
		node("Add", []string{"Y", "X"}, "Z"),
		tensorValue(11, "X", 1, "N", 3),
		tensorValue(12, "Y", 1, "N", 3),
		tensorValue(12, "Z", 1, "N", 3),
	)
}
