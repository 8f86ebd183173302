package vit

import (
	"fmt"
	"math"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// applyInt8 is apply with signed weights of eight bits and a scale for each
// output: ONNX Runtime multiplies signed ones twice as fast as unsigned ones.
func (f *fusedForm) applyInt8(name, x string, l linear) string {
	quantised, scales := l.quantised()
	out := int64(l.out)
	inputs := []string{
		x,
		f.Const(name+"/weight", onnxgraph.Int8s([]int64{int64(l.in), out}, quantised)),
		f.Const(name+"/scale", onnxgraph.Float32s([]int64{out}, scales)),
		f.once(fmt.Sprintf("zero_points/%d", out), onnxgraph.Int8s([]int64{out}, make([]int8, l.out))),
	}
	if l.bias != nil {
		inputs = append(inputs, f.vector(name+"/bias", l.bias))
	}
	return f.contrib("DynamicQuantizeMatMul", name, inputs)
}

// quantised gives the weight as [in, out] whole numbers from -127 to 127 and,
// for each output, what one step is worth.
func (l linear) quantised() (weight []int8, scales []float32) {
	const steps = 127
	scales = make([]float32, l.out)
	weight = make([]int8, len(l.weight))
	for o := range l.out {
		row := l.weight[o*l.in:][:l.in]
		largest := float32(0)
		for _, v := range row {
			largest = max(largest, v, -v)
		}
		scales[o] = largest / steps
		if scales[o] == 0 { // zeros, or too small to count
			scales[o] = 1
		}
		for i, v := range row {
			q := math.RoundToEven(float64(v) / float64(scales[o]))
			weight[i*l.out+o] = int8(min(max(q, -steps), steps))
		}
	}
	return weight, scales
}
