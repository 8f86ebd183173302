package autodiff_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// array is a tensor in float64.
type array struct {
	shape []int64
	data  []float64
}

func zeros(shape ...int64) array {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return array{slices.Clone(shape), make([]float64, n)}
}

// each calls use with every index of a shape, in order.
func each(shape []int64, use func(index []int64)) {
	index := make([]int64, len(shape))
	for {
		use(index)
		i := len(shape) - 1
		for ; i >= 0; i-- {
			if index[i]++; index[i] < shape[i] {
				break
			}
			index[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// at is the place of an index, aligned at the last dimension and held at 0
// where the array has size 1.
func (a array) at(index []int64) int {
	place, ahead := int64(0), len(index)-len(a.shape)
	for i, d := range a.shape {
		place *= d
		if d != 1 {
			place += index[ahead+i]
		}
	}
	return int(place)
}

// interpret computes a model in float64, so that central differences tell
// gradients to seven digits. It knows what tapes write.
func interpret(t testing.TB, m *onnxgraph.Model, inputs map[string]array) map[string]array {
	t.Helper()
	values, lists := make(map[string]array), make(map[string][]int64)
	for name, in := range inputs {
		values[name] = in
	}
	for _, c := range m.Graph.Initialisers {
		if c.Type == onnxgraph.Int64 {
			lists[c.Name] = []int64{}
			for i := 0; i < len(c.Raw); i += 8 {
				lists[c.Name] = append(lists[c.Name], int64(binary.LittleEndian.Uint64(c.Raw[i:])))
			}
			continue
		}
		a := zeros(c.Shape...)
		for i := range a.data {
			a.data[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(c.Raw[4*i:])))
		}
		values[c.Name] = a
	}
	for _, node := range m.Graph.Nodes {
		attribute := func(name string) onnxgraph.Attribute {
			for _, a := range node.Attributes {
				if a.Name == name {
					return a
				}
			}
			return onnxgraph.Attribute{Ints: []int64{0}}
		}
		var in []array
		var parameters [][]int64
		for _, name := range node.Inputs {
			if list, there := lists[name]; there {
				parameters = append(parameters, list)
			} else if v, there := values[name]; there {
				in = append(in, v)
			} else {
				t.Fatalf("%s takes %q, which is not there yet", node.Name, name)
			}
		}
		for i, out := range compute(node.Op, in, parameters, attribute) {
			values[node.Outputs[i]] = out
		}
	}
	out := make(map[string]array)
	for _, v := range m.Graph.Outputs {
		out[v.Name] = values[v.Name]
		for i, d := range v.Shape {
			if out[v.Name].shape[i] != d.Size {
				t.Fatalf("%s is declared as %v and has shape %v", v.Name, v.Shape, out[v.Name].shape)
			}
		}
	}
	return out
}

func compute(op string, in []array, parameters [][]int64, attribute func(string) onnxgraph.Attribute) []array {
	switch op {
	case "Identity":
		return in[:1]
	case "Neg":
		return unary(in[0], func(x float64) float64 { return -x })
	case "Exp":
		return unary(in[0], math.Exp)
	case "Sqrt":
		return unary(in[0], math.Sqrt)
	case "Erf":
		return unary(in[0], math.Erf)
	case "Sigmoid":
		return unary(in[0], func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })
	case "Gelu":
		return unary(in[0], func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) })
	case "Add":
		return binaryOf(in, func(x, y float64) float64 { return x + y })
	case "Sub":
		return binaryOf(in, func(x, y float64) float64 { return x - y })
	case "Mul":
		return binaryOf(in, func(x, y float64) float64 { return x * y })
	case "Div":
		return binaryOf(in, func(x, y float64) float64 { return x / y })
	case "Pow":
		return binaryOf(in, math.Pow)
	case "Min":
		return binaryOf(in, math.Min)
	case "Reshape":
		return []array{{parameters[0], in[0].data}}
	case "Expand":
		return binaryOf([]array{in[0], zeros(parameters[0]...)}, func(x, _ float64) float64 { return x })
	case "Softmax", "LogSoftmax":
		return []array{softmax(in[0], op == "LogSoftmax")}
	case "MatMul":
		return []array{matMul(in[0], in[1])}
	case "Gemm":
		turn := func(a array, flag string) array {
			if attribute(flag).Ints[0] == 1 {
				return transpose(a, []int64{1, 0})
			}
			return a
		}
		return []array{matMul(turn(in[0], "transA"), turn(in[1], "transB"))}
	case "Transpose":
		return []array{transpose(in[0], attribute("perm").Ints)}
	case "Slice":
		return []array{cut(in[0], parameters[2][0], parameters[0][0], parameters[1][0])}
	case "Split":
		axis, from := attribute("axis").Ints[0], int64(0)
		var out []array
		for _, size := range parameters[0] {
			out = append(out, cut(in[0], axis, from, from+size))
			from += size
		}
		return out
	case "Concat":
		return []array{join(in, attribute("axis").Ints[0])}
	case "ReduceSum", "ReduceMean":
		return []array{reduce(in[0], parameters[0], attribute("keepdims").Ints[0] == 1, op == "ReduceMean")}
	case "LayerNormalization":
		return normalise(in, float64(attribute("epsilon").Floats[0]))
	}
	panic(fmt.Sprintf("the interpreter does not know %s", op))
}

func unary(a array, f func(float64) float64) []array {
	out := zeros(a.shape...)
	for i, x := range a.data {
		out.data[i] = f(x)
	}
	return []array{out}
}

func binaryOf(in []array, f func(x, y float64) float64) []array {
	a, b := in[0], in[1]
	shape := make([]int64, max(len(a.shape), len(b.shape)))
	for i := range shape {
		shape[i] = 1
		for _, v := range in {
			if j := i - (len(shape) - len(v.shape)); j >= 0 {
				shape[i] = max(shape[i], v.shape[j])
			}
		}
	}
	out, i := zeros(shape...), 0
	each(shape, func(index []int64) {
		out.data[i] = f(a.data[a.at(index)], b.data[b.at(index)])
		i++
	})
	return []array{out}
}

func softmax(a array, logarithm bool) array {
	out, n := zeros(a.shape...), int(a.shape[len(a.shape)-1])
	for from := 0; from < len(a.data); from += n {
		row := a.data[from : from+n]
		most, sum := slices.Max(row), 0.
		for _, x := range row {
			sum += math.Exp(x - most)
		}
		for i, x := range row {
			if out.data[from+i] = x - most - math.Log(sum); !logarithm {
				out.data[from+i] = math.Exp(out.data[from+i])
			}
		}
	}
	return out
}

func matMul(a, b array) array {
	n, m := len(a.shape), len(b.shape)
	leadA, leadB := array{a.shape[:n-2], nil}, array{b.shape[:m-2], nil}
	lead := binaryOf([]array{zeros(leadA.shape...), zeros(leadB.shape...)}, func(x, y float64) float64 { return 0 })[0].shape
	rows, inner, columns := int(a.shape[n-2]), int(a.shape[n-1]), int(b.shape[m-1])
	out, at := zeros(append(slices.Clone(lead), int64(rows), int64(columns))...), 0
	each(lead, func(index []int64) {
		x, y := a.data[leadA.at(index)*rows*inner:], b.data[leadB.at(index)*inner*columns:]
		for i := range rows {
			for j := range columns {
				for k := range inner {
					out.data[at] += x[i*inner+k] * y[k*columns+j]
				}
				at++
			}
		}
	})
	return out
}

func transpose(a array, order []int64) array {
	shape := make([]int64, len(order))
	for i, from := range order {
		shape[i] = a.shape[from]
	}
	out, i, source := zeros(shape...), 0, make([]int64, len(order))
	each(shape, func(index []int64) {
		for to, from := range order {
			source[from] = index[to]
		}
		out.data[i] = a.data[a.at(source)]
		i++
	})
	return out
}

func cut(a array, axis, from, to int64) array {
	shape := slices.Clone(a.shape)
	shape[axis] = to - from
	out, i := zeros(shape...), 0
	each(shape, func(index []int64) {
		source := slices.Clone(index)
		source[axis] += from
		out.data[i] = a.data[a.at(source)]
		i++
	})
	return out
}

func join(parts []array, axis int64) array {
	shape := slices.Clone(parts[0].shape)
	shape[axis] = 0
	for _, p := range parts {
		shape[axis] += p.shape[axis]
	}
	out, from := zeros(shape...), int64(0)
	for _, p := range parts {
		i := 0
		each(p.shape, func(index []int64) {
			to := slices.Clone(index)
			to[axis] += from
			out.data[out.at(to)] = p.data[i]
			i++
		})
		from += p.shape[axis]
	}
	return out
}

func reduce(a array, axes []int64, keep, mean bool) array {
	kept, shape := slices.Clone(a.shape), []int64{}
	for i, d := range a.shape {
		switch {
		case !slices.Contains(axes, int64(i)):
			shape = append(shape, d)
		default:
			if kept[i] = 1; keep {
				shape = append(shape, 1)
			}
		}
	}
	out, i := zeros(kept...), 0
	each(a.shape, func(index []int64) {
		out.data[out.at(index)] += a.data[i]
		i++
	})
	if mean {
		for i := range out.data {
			out.data[i] *= float64(len(out.data)) / float64(len(a.data))
		}
	}
	return array{shape, out.data}
}

func normalise(in []array, epsilon float64) []array {
	x, n := in[0], int(in[0].shape[len(in[0].shape)-1])
	means := slices.Clone(x.shape)
	means[len(means)-1] = 1
	out, mean, inverse := zeros(x.shape...), zeros(means...), zeros(means...)
	for row := range mean.data {
		values := x.data[row*n : (row+1)*n]
		var sum, squares float64
		for _, v := range values {
			sum += v
		}
		mean.data[row] = sum / float64(n)
		for _, v := range values {
			squares += (v - mean.data[row]) * (v - mean.data[row])
		}
		inverse.data[row] = 1 / math.Sqrt(squares/float64(n)+epsilon)
		for i, v := range values {
			out.data[row*n+i] = (v-mean.data[row])*inverse.data[row]*in[1].data[i] + in[2].data[i]
		}
	}
	return []array{out, mean, inverse}
}
