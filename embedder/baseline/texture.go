package baseline

import (
	"fmt"
	"math"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// gabor gives the filters of one octave, [phase][orientation][y][x], phase 0
// even and 1 odd: a wave under a round Gaussian, the even one without its
// mean, scaled so that a sine wave of the filter's wavelength and orientation
// gives its own amplitude. Orientation 0 is a wave along x.
func gabor() []float64 {
	const radius = kernelSide / 2
	kernels := make([]float64, 0, 2*orientations*kernelSide*kernelSide)
	var envelope [kernelSide * kernelSide]float64
	var sum float64
	for i := range envelope {
		x, y := float64(i%kernelSide-radius), float64(i/kernelSide-radius)
		envelope[i] = math.Exp(-(x*x + y*y) / (2 * sigma * sigma))
		sum += envelope[i]
	}
	for phase := range 2 {
		for o := range orientations {
			sin, cos := math.Sincos(math.Pi * float64(o) / orientations)
			var kernel [kernelSide * kernelSide]float64
			var mean float64
			for i, e := range envelope {
				x, y := float64(i%kernelSide-radius), float64(i/kernelSide-radius)
				wave := 2 * math.Pi / wavelength * (x*cos + y*sin)
				kernel[i] = e * math.Cos(wave-float64(phase)*math.Pi/2)
				mean += kernel[i] / sum
			}
			for i, e := range envelope {
				kernels = append(kernels, 2/sum*(kernel[i]-mean*e))
			}
		}
	}
	return kernels
}

// texture gives what the filters say of a set of channels.
func (w *writer) texture(lab string, set channelSet) []block {
	channels := int64(set.last - set.first)
	plane := w.Op("Slice", set.name, []string{
		lab, w.ints(set.name+"/first", int64(set.first)), w.ints(set.name+"/last", int64(set.last)), w.ints("axis_1", 1),
	})
	filters := gabor()
	weight := w.tensor(set.name+"/filters", repeat(filters, int(channels)), channels*2*orientations, 1, kernelSide, kernelSide)
	var blocks []block
	size := int64(side)
	for octave := range octaves {
		if octave > 0 {
			plane = w.cells(fmt.Sprintf("%s/octave_%d", set.name, octave), plane, size, size/2)
			size /= 2
		}
		if octave < set.finest {
			continue
		}
		name := fmt.Sprintf("%s/%d", set.name, octave)
		blocks = append(blocks, w.octave(name, w.amplitude(name, plane, weight, channels, size), size, set.arranged)...)
	}
	return blocks
}

// amplitude gives the filters' amplitude at each pixel, [batch, orientations,
// size, size]: the root of the squares' sum over phases and channels.
func (w *writer) amplitude(name, plane, weight string, channels, size int64) string {
	const border = kernelSide / 2
	padded := w.Op("Pad", name+"/padded", []string{plane, w.ints("border", 0, 0, border, border, 0, 0, border, border)}, onnxgraph.Text("mode", "reflect"))
	waves := w.Op("Conv", name+"/waves", []string{padded, weight}, onnxgraph.Int("group", channels))
	pairs := w.reshape(name+"/pairs", waves, w.ints(name+"/pairs_shape", 0, 2*channels, orientations, size*size))
	energy := w.Op("ReduceSumSquare", name+"/energy", []string{pairs, w.ints("axis_1", 1)}, onnxgraph.Int("keepdims", 0))
	return w.rootOf(name+"/amplitude", w.reshape(name+"/energy_plane", energy, w.ints(name+"/plane_shape", 0, orientations, size, size)))
}

// octave splits the amplitudes of one octave into their parts.
func (w *writer) octave(name, amplitude string, size int64, arranged bool) []block {
	inPlane, overOrientations := w.ints("axes_2_3", 2, 3), w.ints("axis_1", 1)

	strength := w.logOf(name+"/strength", w.mean(name+"/mean", amplitude, inPlane, false)) // [batch, orientations]
	level := w.mean(name+"/level", strength, overOrientations, true)
	orientation := w.sub(name+"/orientation", strength, level)

	squares := w.mean(name+"/mean_square", w.mul(name+"/square", amplitude, amplitude), inPlane, false)
	rms := w.logOf(name+"/rms_strength", w.sqrt(name+"/rms", squares))
	sparsity := w.mean(name+"/sparsity", w.sub(name+"/sparsities", rms, strength), overOrientations, true)

	cosines := w.Op("MatMul", name+"/cosines", []string{orientation, w.tensor("cosines", harmonicMatrix(math.Cos), orientations, harmonics)})
	sines := w.Op("MatMul", name+"/sines", []string{orientation, w.tensor("sines", harmonicMatrix(math.Sin), orientations, harmonics)})
	power := w.add(name+"/power", w.mul(name+"/cosines_squared", cosines, cosines), w.mul(name+"/sines_squared", sines, sines))
	harmonic := w.rootOf(name+"/harmonics", power)

	cellLogs := w.logOf(name+"/cells", w.cells(name+"/cell_means", amplitude, size, spreadCells))
	away := w.sub(name+"/cells_away", cellLogs, w.mean(name+"/cells_mean", cellLogs, inPlane, true))
	variance := w.mean(name+"/cells_variance", w.mul(name+"/cells_squared", away, away), inPlane, false)
	spread := w.mean(name+"/spread", w.rootOf(name+"/cells_deviation", variance), overOrientations, true)

	blocks := []block{
		{level, "level", 1}, {sparsity, "sparsity", 1}, {spread, "spread", 1}, {harmonic, "harmonics", harmonics},
		{orientation, "orientation", orientations}, w.responses(name, amplitude, size),
	}
	if arranged {
		blocks = append(blocks, w.arrangement(name, amplitude, strength, size))
	}
	return blocks
}

// arrangement gives how each orientation's strength in each quarter differs
// from that in the whole picture.
func (w *writer) arrangement(name, amplitude, strength string, size int64) block {
	logs := w.logOf(name+"/quarters", w.cells(name+"/quarter_means", amplitude, size, quarters))
	column := w.reshape(name+"/strength_column", strength, w.ints("column_shape", 0, orientations, 1, 1))
	flat := w.flat(name+"/arrangement", w.sub(name+"/arrangements", logs, column))
	return block{flat, "arrangement", quarters * quarters * orientations}
}

// responses gives the histogram, joint over strength and directedness, of
// what the filters say at each pixel.
func (w *writer) responses(name, amplitude string, size int64) block {
	overOrientations := w.ints("axis_1", 1)
	mean := w.mean(name+"/local_mean", amplitude, overOrientations, true)
	raised := w.add(name+"/local_mean_raised", mean, w.scalar("amplitude_eps", amplitudeEps))
	strength := w.Op("Log", name+"/local_strength", []string{raised})
	largest := w.Op("ReduceMax", name+"/local_largest", []string{amplitude, overOrientations}, onnxgraph.Int("keepdims", 1))
	directed := w.Op("Div", name+"/local_directedness", []string{largest, raised})

	strengths, directions := int64(len(strengthBins)), int64(len(directedBins))
	rows := w.reshape(name+"/strength_rows", w.members(strength, strengthBins), w.ints(name+"/strength_shape", 0, strengths, size*size))
	others := w.reshape(name+"/directed_rows", w.members(directed, directedBins), w.ints(name+"/directed_shape", 0, directions, size*size))
	columns := w.Op("Transpose", name+"/directed_columns", []string{others}, onnxgraph.Ints("perm", 0, 2, 1))
	counts := w.Op("MatMul", name+"/response_counts", []string{rows, columns})
	share := w.mul(name+"/response_share", counts, w.scalar(name+"/per_pixel", 1/float64(size*size)))
	return block{w.rootOf(name+"/responses", w.flat(name+"/response_histogram", share)), "responses", len(strengthBins) * len(directedBins)}
}

// harmonicMatrix gives [orientations, harmonics] of the discrete Fourier
// transform over the orientations, scaled to amplitudes.
func harmonicMatrix(wave func(float64) float64) []float64 {
	m := make([]float64, 0, orientations*harmonics)
	for o := range orientations {
		for k := 1; k <= harmonics; k++ {
			m = append(m, 2.0/orientations*wave(2*math.Pi*float64(k*o)/orientations))
		}
	}
	return m
}

func repeat(values []float64, times int) []float64 {
	var all []float64
	for range times {
		all = append(all, values...)
	}
	return all
}
