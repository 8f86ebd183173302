package onnxgraph

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/palate-art/palate"
)

// Marshal validates the model and gives the bytes of its file.
func (m *Model) Marshal() ([]byte, error) {
	file, err := m.encode()
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, file.size)
	for _, p := range file.pieces {
		out = append(out, p...)
	}
	return out, nil
}

// Bytes is the length of the model's file, also where that is beyond what
// Marshal can give and WriteFiles must put weights beside it. The model must
// be valid.
func (m *Model) Bytes() int64 { return int64(m.message().size) }

// WriteTo validates the model and writes its file, without a copy of the
// weights.
func (m *Model) WriteTo(w io.Writer) (int64, error) {
	file, err := m.encode()
	if err != nil {
		return 0, err
	}
	return file.writeTo(w)
}

func (m *message) writeTo(w io.Writer) (int64, error) {
	var written int64
	for _, p := range m.pieces {
		n, err := w.Write(p)
		written += int64(n)
		if err != nil {
			return written, fmt.Errorf("write onnx model: %w", err)
		}
	}
	return written, nil
}

func (m *Model) encode() (*message, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m.bounded()
}

// bounded is the message of a valid model, if protobuf can hold it.
func (m *Model) bounded() (*message, error) {
	file := m.message()
	if file.size > math.MaxInt32 {
		return nil, fmt.Errorf("onnx model: %d bytes, protobuf ends at %d: write its weights beside it: %w", file.size, math.MaxInt32, palate.ErrInvalid)
	}
	return file, nil
}

// message is one protobuf message as pieces in order. Tensor data are pieces
// that share the tensor's memory, and a message within a message is its
// pieces after a header, so nothing large is copied.
type message struct {
	pieces [][]byte
	size   int
	own    bool // the last piece belongs to this message and may grow
}

// Wire types of the protobuf encoding.
const (
	wireVarint  = 0
	wireBytes   = 2
	wireFixed32 = 5
)

// tail gives the last piece, to be appended to and put back by grow.
func (m *message) tail() []byte {
	if !m.own {
		m.pieces, m.own = append(m.pieces, nil), true
	}
	return m.pieces[len(m.pieces)-1]
}

func (m *message) grow(piece []byte) {
	last := len(m.pieces) - 1
	m.size += len(piece) - len(m.pieces[last])
	m.pieces[last] = piece
}

func (m *message) key(field, wire uint64) {
	m.grow(binary.AppendUvarint(m.tail(), field<<3|wire))
}

func (m *message) int(field uint64, v int64) {
	m.key(field, wireVarint)
	m.grow(binary.AppendUvarint(m.tail(), uint64(v)))
}

func (m *message) float(field uint64, v float32) {
	m.key(field, wireFixed32)
	m.grow(binary.LittleEndian.AppendUint32(m.tail(), math.Float32bits(v)))
}

// text leaves an empty string out, which reads the same.
func (m *message) text(field uint64, s string) {
	if s != "" {
		m.item(field, s)
	}
}

// item is text of a list or a required field, where an empty string counts.
func (m *message) item(field uint64, s string) {
	m.key(field, wireBytes)
	m.grow(binary.AppendUvarint(m.tail(), uint64(len(s))))
	m.grow(append(m.tail(), s...))
}

// shared writes bytes without copying them.
func (m *message) shared(field uint64, b []byte) {
	m.key(field, wireBytes)
	m.grow(binary.AppendUvarint(m.tail(), uint64(len(b))))
	m.pieces, m.own = append(m.pieces, b), false
	m.size += len(b)
}

func (m *message) message(field uint64, inner *message) {
	m.key(field, wireBytes)
	m.grow(binary.AppendUvarint(m.tail(), uint64(inner.size)))
	if len(inner.pieces) == 1 && inner.own {
		m.grow(append(m.tail(), inner.pieces[0]...))
		return
	}
	m.pieces, m.own = append(m.pieces, inner.pieces...), false
	m.size += inner.size
}

func (m *Model) message() *message {
	out := &message{}
	out.int(1, m.IRVersion)
	out.text(2, m.Producer)
	out.text(3, m.ProducerVersion)
	out.text(4, m.Domain)
	if m.Version != 0 {
		out.int(5, m.Version)
	}
	out.text(6, m.Doc)
	out.message(7, m.Graph.message())
	for _, o := range m.Opsets {
		set := &message{}
		set.text(1, o.Domain)
		set.int(2, o.Version)
		out.message(8, set)
	}
	for _, p := range m.Metadata {
		entry := &message{}
		entry.item(1, p.Key)
		entry.item(2, p.Value)
		out.message(14, entry)
	}
	return out
}

func (g *Graph) message() *message {
	out := &message{}
	for _, n := range g.Nodes {
		out.message(1, n.message())
	}
	out.item(2, g.Name)
	for _, t := range g.Initialisers {
		out.message(5, t.message())
	}
	out.text(10, g.Doc)
	for _, list := range []struct {
		field  uint64
		values []Value
	}{{11, g.Inputs}, {12, g.Outputs}, {13, g.Intermediate}} {
		for _, v := range list.values {
			out.message(list.field, v.message())
		}
	}
	return out
}

func (n Node) message() *message {
	out := &message{}
	for _, in := range n.Inputs {
		out.item(1, in)
	}
	for _, o := range n.Outputs {
		out.item(2, o)
	}
	out.text(3, n.Name)
	out.item(4, n.Op)
	for _, a := range n.Attributes {
		out.message(5, a.message())
	}
	out.text(6, n.Doc)
	out.text(7, n.Domain)
	return out
}

func (a Attribute) message() *message {
	out := &message{}
	out.item(1, a.Name)
	switch a.Kind {
	case KindFloat:
		out.float(2, a.Floats[0])
	case KindInt:
		out.int(3, a.Ints[0])
	case KindString:
		out.item(4, a.Strings[0])
	case KindTensor:
		out.message(5, a.Tensors[0].message())
	case KindGraph:
		out.message(6, a.Graphs[0].message())
	default:
		a.lists(out)
	}
	out.int(20, int64(a.Kind))
	return out
}

// lists writes the one list that a valid attribute of several values has.
func (a Attribute) lists(out *message) {
	for _, v := range a.Floats {
		out.float(7, v)
	}
	for _, v := range a.Ints {
		out.int(8, v)
	}
	for _, v := range a.Strings {
		out.item(9, v)
	}
	for _, v := range a.Tensors {
		out.message(10, v.message())
	}
	for _, v := range a.Graphs {
		out.message(11, v.message())
	}
}

func (t Tensor) message() *message {
	out := &message{}
	for _, d := range t.Shape {
		out.int(1, d)
	}
	out.int(2, int64(t.Type))
	for _, s := range t.Strings {
		out.shared(6, s)
	}
	out.text(8, t.Name)
	if t.external != nil {
		t.external.fields(out)
	} else if t.Type != String {
		out.shared(9, slices.Clip(t.Raw))
	}
	return out
}

func (v Value) message() *message {
	out := &message{}
	out.item(1, v.Name)
	if v.Type != 0 {
		tensor := &message{}
		tensor.int(1, int64(v.Type))
		if v.Shape != nil {
			shape := &message{}
			for _, d := range v.Shape {
				shape.message(1, d.message())
			}
			tensor.message(2, shape)
		}
		typ := &message{}
		typ.message(1, tensor)
		out.message(2, typ)
	}
	out.text(3, v.Doc)
	return out
}

func (d Dim) message() *message {
	out := &message{}
	if d.Name != "" {
		out.item(2, d.Name)
	} else {
		out.int(1, d.Size)
	}
	return out
}
