package baseline

import (
	"crypto/sha256"
	"fmt"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/onnxgraph"
)

// opset is the version of the ai.onnx operators that the graph is written in.
const opset = 18

// Name is what people call the model.
const Name = "baseline"

// The names of the graph's input and output.
const (
	inputName  = "pixels"
	outputName = "descriptor"
)

// Model writes the model: an ONNX file, equal bytes at each call, and what
// embedder/onnx must know of it. It takes a few milliseconds.
func Model() ([]byte, embedder.Description) {
	g := &onnxgraph.Graph{
		Name:    "palate_baseline",
		Doc:     "Colour and texture of a picture; input red, green, blue in 0..1 (sRGB)",
		Inputs:  []onnxgraph.Value{{Name: inputName, Type: onnxgraph.Float32, Shape: onnxgraph.Batched(3, side, side)}},
		Outputs: []onnxgraph.Value{{Name: outputName, Type: onnxgraph.Float32, Shape: onnxgraph.Batched(Dim())}},
	}
	w := &writer{Graph: g}
	lab := w.lab(inputName)
	blocks := w.colour(lab)
	for _, set := range channelSets {
		blocks = append(blocks, w.texture(lab, set)...)
	}
	w.join(blocks)

	m := onnxgraph.NewModel(g, opset)
	m.Version = version
	file, err := m.Marshal()
	if err != nil {
		panic(fmt.Sprintf("baseline: %v", err)) // the graph depends on nothing but this package
	}
	d := description()
	d = d.Identify(sha256.Sum256([]byte(parametersText())))
	return file, d
}

func description() embedder.Description {
	return embedder.Description{
		Name:         Name,
		Version:      fmt.Sprint(version),
		Licence:      "Apache-2.0",
		Input:        embedder.InputDescription{Name: inputName, Width: side, Height: side, Layout: embedder.LayoutNCHW},
		Fit:          embedder.FitStretch,
		Resample:     embedder.Bicubic,
		Std:          [3]float64{1, 1, 1},
		Output:       embedder.OutputDescription{Name: outputName, Pooling: embedder.PoolNone},
		Normalise:    embedder.NormaliseL2,
		NumericClass: embedder.NumericFloat,
	}
}

// Dim is the length of the descriptor.
func Dim() int64 {
	light, opponent := int64(len(lightBins)), int64(len(opponentBins))
	dim := light*opponent*opponent + quarters*quarters*(light+2*opponent) + 1
	for _, set := range channelSets {
		each := 3 + harmonics + orientations + len(strengthBins)*len(directedBins)
		if set.arranged {
			each += quarters * quarters * orientations
		}
		dim += int64((octaves - set.finest) * each)
	}
	return dim
}

// block is a finished group of numbers, [batch, size].
type block struct {
	value string
	part  string
	size  int
}

// join centres, weights and concatenates the blocks. The numbers of a part
// share its weight: n of them count 1/√n each.
func (w *writer) join(blocks []block) {
	total := map[string]int{}
	for _, b := range blocks {
		total[b.part] += b.size
	}
	names := make([]string, len(blocks))
	for i, b := range blocks {
		p := parts[b.part]
		weight := partWeight(b.part, total[b.part])
		centred := w.sub(b.value+"/centred", b.value, w.scalar(b.part+"/centre", p.centre))
		names[i] = w.mul(b.value+"/weighted", centred, w.scalar(b.part+"/weight", weight))
	}
	w.Op("Concat", outputName, names, onnxgraph.Int("axis", 1))
}
