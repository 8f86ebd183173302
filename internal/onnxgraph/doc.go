// Package onnxgraph writes ONNX models: a description of the graph in Go
// values, checked as a whole and written in the wire form of onnx.proto.
//
// # Versions
//
// A model states its IR version and, for every operator domain, the version
// of the operator set it was written against (see "Open Neural Network
// Exchange Intermediate Representation (ONNX IR) Specification" and
// "Versioning" of the ONNX project). IRVersionFor gives the IR version that
// came with an operator set of ai.onnx. Field numbers follow onnx.proto;
// fields are written in the order of their numbers and tensors as raw
// little-endian data, so equal models have equal bytes on every machine.
//
// Files are bounded by protobuf's 2 GiB. WriteFiles puts large weights into a
// second file beside the model's, which has no bound (see "External Data" of
// the ONNX project).
//
// Shapes of intermediate values and the meaning of operators are not checked
// here: ONNX Runtime does that when it loads the model.
package onnxgraph

// The operator domains.
const (
	DomainONNX      = "" // ai.onnx
	DomainMicrosoft = "com.microsoft"
)

// IRVersionFor gives the oldest IR version that may import a version of the
// ai.onnx operator set, for the operator sets from 7 on.
func IRVersionFor(opset int64) int64 {
	switch {
	case opset >= 23:
		return 11
	case opset >= 21:
		return 10
	case opset >= 19:
		return 9
	case opset >= 15:
		return 8
	case opset >= 12:
		return 7
	case opset == 11:
		return 6
	case opset == 10:
		return 5
	case opset == 9:
		return 4
	}
	return 3
}
