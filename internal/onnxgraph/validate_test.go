package onnxgraph_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph"
)

func TestInvalidModelsAreRefusedWithTheReason(t *testing.T) {
	type model = onnxgraph.Model
	tests := []struct {
		name   string
		change func(m *model)
		want   string // in the error
	}{
		{"a value that nothing gives", func(m *model) { m.Graph.Nodes[1].Inputs[1] = "bias" }, `takes "bias", which nothing gives`},
		{"nodes out of order", func(m *model) { n := m.Graph.Nodes; n[0], n[1] = n[1], n[0] }, `takes "xW", which only node 1 "xW" (MatMul) gives: the nodes are out of order or in a cycle`},
		{"a cycle", func(m *model) { m.Graph.Nodes[0].Inputs[0] = "y" }, `takes "y", which only node 1 "y" (Add) gives`},
		{"a node that takes its own output", func(m *model) { m.Graph.Nodes[0].Inputs[0] = "xW" }, "out of order or in a cycle"},
		{"a name defined twice", func(m *model) { m.Graph.Const("x", onnxgraph.Scalar(1)) }, `initialiser "x": the name is already defined`},
		{"an output of two nodes", func(m *model) { m.Graph.Op("Relu", "xW", []string{"x"}) }, `output "xW": the name is already defined`},
		{"two nodes of one name", func(m *model) { m.Graph.Nodes[0].Name = "y" }, `two nodes are called "y"`},
		{"a domain that is not imported", func(m *model) { m.Graph.OpIn("com.microsoft", "Gelu", "z", []string{"y"}) }, `domain "com.microsoft", which is not imported`},
		{"a domain imported twice", func(m *model) { m.Opsets = append(m.Opsets, m.Opsets[0]) }, "imported twice"},
		{"an output that is not defined", func(m *model) { m.Graph.Outputs[0].Name = "z" }, `output "z" is not defined`},
		{"no output", func(m *model) { m.Graph.Outputs = nil }, "no output"},
		{"no graph", func(m *model) { m.Graph = nil }, "no graph"},
		{"an old IR version", func(m *model) { m.IRVersion = 2 }, "IR version 2"},
		{"an initialiser with too few values", func(m *model) { m.Graph.Initialisers[0].Shape = []int64{2, 4} }, "wants 32 raw bytes, got 24"},
		{"a shape beyond counting", func(m *model) { m.Graph.Initialisers[0].Shape = []int64{1 << 40, 1 << 40} }, "too large"},
		{"a negative shape", func(m *model) { m.Graph.Initialisers[0].Shape = []int64{-2, -3} }, "negative"},
		{"an unknown element type", func(m *model) { m.Graph.Initialisers[0].Type = 99 }, "element type 99 is not known"},
		{"an input of no type", func(m *model) { m.Graph.Inputs[0].Type = 0 }, `value "x": element type 0`},
		{"a dimension with size and name", func(m *model) { m.Graph.Inputs[0].Shape[0].Size = 4 }, `size 4 and name "batch"`},
		{"an attribute given twice", func(m *model) {
			m.Graph.Op("Transpose", "z", []string{"y"}, onnxgraph.Ints("perm", 0, 1), onnxgraph.Ints("perm", 1, 0))
		}, `attribute "perm" has no name or is given twice`},
		{"an attribute without a value", func(m *model) {
			m.Graph.Op("Transpose", "z", []string{"y"}, onnxgraph.Attribute{Name: "to", Kind: onnxgraph.KindInt})
		}, `attribute "to" of kind 2 has 0 values`},
		{"an attribute of no kind", func(m *model) { m.Graph.Op("Relu", "z", []string{"y"}, onnxgraph.Attribute{Name: "to"}) }, `attribute "to" of kind 0`},
		{"a wrong tensor in an attribute", func(m *model) {
			m.Graph.Op("Constant", "z", nil, onnxgraph.Constant("value", onnxgraph.Tensor{Type: onnxgraph.Int64, Shape: []int64{1}}))
		}, "wants 8 raw bytes, got 0"},
		{"a body that hides an outer name", func(m *model) {
			body := &onnxgraph.Graph{Name: "body"}
			body.Op("Relu", "xW", []string{"x"})
			m.Graph.Op("If", "z", []string{"y"}, onnxgraph.Body("then_branch", body))
		}, `graph "body": node 0 "xW" (Relu): output "xW": the name is already defined`},
		{"a body that sees what comes later", func(m *model) {
			body := &onnxgraph.Graph{Name: "body"}
			body.Op("Relu", "inner", []string{"late"})
			m.Graph.Op("If", "z", []string{"y"}, onnxgraph.Body("then_branch", body))
			m.Graph.Op("Relu", "late", []string{"y"})
		}, `graph "body": node 0 "inner" (Relu) takes "late", which nothing gives`},
		{"a body that is nil", func(m *model) { m.Graph.Op("If", "z", []string{"y"}, onnxgraph.Body("then_branch", nil)) }, "has no graph"},
		{"metadata given twice", func(m *model) { m.Metadata = make([]onnxgraph.Property, 2) }, "metadata"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := onnxgraph.NewModel(affine(), 17)
			test.change(m)
			file, err := m.Marshal()
			if file != nil || !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %d bytes and error %v, want palate.ErrInvalid with %q", len(file), err, test.want)
			}
		})
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	m := onnxgraph.NewModel(affine(), 17)
	m.IRVersion = 0
	m.Graph.Nodes[0].Inputs[0] = "a"
	m.Graph.Nodes[1].Inputs[1] = "c"
	err := m.Validate()
	for _, want := range []string{"IR version 0", `"a"`, `"c"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestOptionalInputsAndOutputsMayBeLeftOut(t *testing.T) {
	m := onnxgraph.NewModel(affine(), 17)
	m.Graph.Nodes = append(m.Graph.Nodes, onnxgraph.Node{Op: "Clip", Inputs: []string{"y", "", "b"}, Outputs: []string{"z", ""}})
	if err := m.Validate(); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}
