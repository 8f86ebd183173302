package baseline

import (
	"math"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// writer adds operators by their short names. Each method gives the name of
// the value that it adds.
type writer struct {
	*onnxgraph.Graph
	consts map[string]bool
}

// once adds a constant, or gives the one of that name added before.
func (w *writer) once(name string, t func() onnxgraph.Tensor) string {
	if w.consts == nil {
		w.consts = map[string]bool{}
	}
	if !w.consts[name] {
		w.consts[name] = true
		w.Const(name, t())
	}
	return name
}

func (w *writer) scalar(name string, v float64) string {
	return w.once(name, func() onnxgraph.Tensor { return onnxgraph.Scalar(float32(v)) })
}

func (w *writer) tensor(name string, values []float64, shape ...int64) string {
	return w.once(name, func() onnxgraph.Tensor {
		narrow := make([]float32, len(values))
		for i, v := range values {
			narrow[i] = float32(v)
		}
		return onnxgraph.Float32s(shape, narrow)
	})
}

func (w *writer) ints(name string, values ...int64) string {
	return w.once(name, func() onnxgraph.Tensor { return onnxgraph.Vector(values...) })
}

func (w *writer) add(name, a, b string) string { return w.Op("Add", name, []string{a, b}) }
func (w *writer) sub(name, a, b string) string { return w.Op("Sub", name, []string{a, b}) }
func (w *writer) mul(name, a, b string) string { return w.Op("Mul", name, []string{a, b}) }
func (w *writer) pow(name, a, b string) string { return w.Op("Pow", name, []string{a, b}) }
func (w *writer) sqrt(name, a string) string   { return w.Op("Sqrt", name, []string{a}) }

// logOf is ln(a + eps).
func (w *writer) logOf(name, a string) string {
	return w.Op("Log", name, []string{w.add(name+"/raised", a, w.scalar("amplitude_eps", amplitudeEps))})
}

// rootOf is √(a + eps).
func (w *writer) rootOf(name, a string) string {
	return w.sqrt(name, w.add(name+"/raised", a, w.scalar("square_eps", squareEps)))
}

// mean averages over axes, which stay with length 1 if keep.
func (w *writer) mean(name, a, axes string, keep bool) string {
	keepDims := int64(0)
	if keep {
		keepDims = 1
	}
	return w.Op("ReduceMean", name, []string{a, axes}, onnxgraph.Int("keepdims", keepDims))
}

func (w *writer) reshape(name, a, shape string) string {
	return w.Op("Reshape", name, []string{a, shape})
}

// flat gives [batch, everything else].
func (w *writer) flat(name, a string) string {
	return w.Op("Flatten", name, []string{a}, onnxgraph.Int("axis", 1))
}

// cells averages a plane of the given side over a grid of cells × cells.
func (w *writer) cells(name, a string, planeSide, cells int64) string {
	n := planeSide / cells
	return w.Op("AveragePool", name, []string{a}, onnxgraph.Ints("kernel_shape", n, n), onnxgraph.Ints("strides", n, n))
}

// partWeight is the weight of each of n numbers of a part.
func partWeight(name string, n int) float64 {
	p := parts[name]
	switch name {
	case "joint": // the root of a histogram already has norm 1
		return p.weight
	case "marginals":
		return p.weight / math.Sqrt(3*quarters*quarters) // as many histograms
	case "responses":
		return p.weight / math.Sqrt(float64(n/(len(strengthBins)*len(directedBins))))
	}
	return p.weight / math.Sqrt(float64(n))
}
