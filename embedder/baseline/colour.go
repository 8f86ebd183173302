package baseline

import (
	"fmt"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// srgbToXYZ are IEC 61966-2-1's primaries with the D65 white point; each row
// is divided by the white's, so that white is (1, 1, 1).
var srgbToXYZ = [9]float64{
	0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505,
	0.2126, 0.7152, 0.0722,
	0.0193 / 1.0890, 0.1192 / 1.0890, 0.9505 / 1.0890,
}

// cieDelta separates the cube root of CIE 15 from its linear foot.
const cieDelta = 6.0 / 29

// lab gives L*, a*, b* over labScale, [batch, 3, side, side], of sRGB.
func (w *writer) lab(srgb string) string {
	foot := w.mul("srgb/foot", srgb, w.scalar("srgb/foot_slope", 1/12.92))
	shifted := w.mul("srgb/scaled", w.add("srgb/shifted", srgb, w.scalar("srgb/offset", 0.055)), w.scalar("srgb/scale", 1/1.055))
	curve := w.pow("srgb/curve", shifted, w.scalar("srgb/gamma", 2.4))
	isFoot := w.Op("LessOrEqual", "srgb/is_foot", []string{srgb, w.scalar("srgb/knee", 0.04045)})
	linear := w.Op("Where", "linear", []string{isFoot, foot, curve})

	xyz := w.Op("Conv", "xyz", []string{linear, w.tensor("xyz/weight", srgbToXYZ[:], 3, 3, 1, 1)})

	bright := w.Op("Max", "cie/bright", []string{xyz, w.scalar("cie/knee", cieDelta*cieDelta*cieDelta)})
	root := w.pow("cie/root", bright, w.scalar("cie/third", 1.0/3))
	slope := w.mul("cie/sloped", xyz, w.scalar("cie/slope", 1/(3*cieDelta*cieDelta)))
	line := w.add("cie/line", slope, w.scalar("cie/foot", 4.0/29))
	isRoot := w.Op("Greater", "cie/is_root", []string{xyz, "cie/knee"})
	f := w.Op("Where", "cie/f", []string{isRoot, root, line})

	weight := []float64{0, 116 / labScale, 0, 500 / labScale, -500 / labScale, 0, 0, 200 / labScale, -200 / labScale}
	return w.Op("Conv", "lab", []string{f, w.tensor("lab/weight", weight, 3, 3, 1, 1), w.tensor("lab/bias", []float64{-16 / labScale, 0, 0}, 3)})
}

// colour gives the histograms and the entropy.
func (w *writer) colour(lab string) []block {
	bins := [][]float64{lightBins, opponentBins, opponentBins}
	w.Nodes = append(w.Nodes, onnxgraph.Node{
		Name: "lab/split", Op: "Split", Inputs: []string{lab, w.ints("lab/split_sizes", 1, 1, 1)},
		Outputs: []string{"L", "a", "b"}, Attributes: []onnxgraph.Attribute{onnxgraph.Int("axis", 1)},
	})
	members := make([]string, 3)
	for i, channel := range []string{"L", "a", "b"} {
		members[i] = w.members(channel, bins[i])
	}
	joint := w.joint(members)
	jointRoot := w.rootOf("joint/root", joint)
	size := len(lightBins) * len(opponentBins) * len(opponentBins)

	logs := w.Op("Log", "entropy/log", []string{w.add("entropy/raised", joint, w.scalar("histogram_eps", histogramEps))})
	sum := w.Op("ReduceSum", "entropy/sum", []string{w.mul("entropy/terms", joint, logs), w.ints("axis_1", 1)}, onnxgraph.Int("keepdims", 1))
	entropy := w.Op("Neg", "entropy", []string{sum})

	marginals := w.Op("Concat", "marginals/members", members, onnxgraph.Int("axis", 1))
	cells := w.cells("marginals/cells", marginals, side, quarters)
	marginalRoot := w.rootOf("marginals/root", w.flat("marginals", cells))
	return []block{
		{jointRoot, "joint", size},
		{marginalRoot, "marginals", quarters * quarters * (len(lightBins) + 2*len(opponentBins))},
		{entropy, "entropy", 1},
	}
}

// members gives how much each pixel belongs to each bin, [batch, bins, side,
// side]: triangles of the bins' distance, 1 in sum for every pixel.
func (w *writer) members(channel string, centres []float64) string {
	n := len(centres)
	low := w.scalar(fmt.Sprintf("bin/%g", centres[0]), centres[0])
	high := w.scalar(fmt.Sprintf("bin/%g", centres[n-1]), centres[n-1])
	clipped := w.Op("Clip", channel+"/clipped", []string{channel, low, high})
	inverse := 1 / (centres[1] - centres[0])
	scaled := make([]float64, n)
	for i, c := range centres {
		scaled[i] = c * inverse
	}
	inBins := w.mul(channel+"/in_bins", clipped, w.scalar(fmt.Sprintf("%s/bins_per_unit", channel), inverse))
	away := w.sub(channel+"/away", inBins, w.tensor(channel+"/centres", scaled, 1, int64(n), 1, 1))
	distance := w.Op("Abs", channel+"/distance", []string{away})
	return w.Op("Relu", channel+"/members", []string{w.sub(channel+"/closeness", w.scalar("one", 1), distance)})
}

// joint gives the histogram over all three channels, [batch, bins of L × bins
// of a × bins of b]: the mean over the pixels of the products of members,
// which is a product of matrices [L, pixels] × [pixels, a × b].
func (w *writer) joint(members []string) string {
	pixels, light, opponent := int64(side*side), int64(len(lightBins)), int64(len(opponentBins))
	l := w.reshape("joint/L", members[0], w.ints("joint/L_shape", 0, light, pixels))
	a := w.reshape("joint/a", members[1], w.ints("joint/a_shape", 0, opponent, 1, pixels))
	b := w.reshape("joint/b", members[2], w.ints("joint/b_shape", 0, 1, opponent, pixels))
	ab := w.reshape("joint/ab_rows", w.mul("joint/ab", a, b), w.ints("joint/ab_shape", 0, opponent*opponent, pixels))
	columns := w.Op("Transpose", "joint/ab_columns", []string{ab}, onnxgraph.Ints("perm", 0, 2, 1))
	counts := w.Op("MatMul", "joint/counts", []string{l, columns})
	share := w.mul("joint/share", counts, w.scalar("joint/per_pixel", 1/float64(pixels)))
	return w.flat("joint", share)
}
