package baseline

import "fmt"

// version is the function's. It changes whenever the numbers that come out
// for a picture do.
const version = 1

// The geometry. side halves cleanly once per octave and divides by the grids.
const (
	side         = 192 // pixels of the input, both ways
	quarters     = 2   // cells per side of the grid of the arrangement
	spreadCells  = 4   // cells per side of the grid of the spread
	octaves      = 4
	orientations = 8
	harmonics    = orientations / 2
	kernelSide   = 11
	wavelength   = 4.0 // pixels of the octave's own resolution
	sigma        = 2.0 // of the Gabor filters' envelope, pixels
)

// Lightness and the opponents are brought to about -1..1 before anything is
// measured, and this is added before a logarithm: half a step of L*.
const (
	labScale     = 100.0
	amplitudeEps = 0.005
	histogramEps = 1e-4
	squareEps    = 1e-6 // added before a square root, whose slope would otherwise enlarge rounding near 0
)

// The centres of the histogram's bins, evenly spaced, in L*a*b*/labScale.
// What lies beyond the last one counts to it.
var (
	lightBins    = []float64{0.08, 0.29, 0.5, 0.71, 0.92}
	opponentBins = []float64{-0.6, -0.3, 0, 0.3, 0.6}
)

// The centres of the bins of the filters' local responses: the logarithm of
// the mean amplitude over the orientations, and by how much the largest one
// exceeds that mean (1 is a spot, 3.9 a wave).
var (
	strengthBins = []float64{-5, -4, -3, -2, -1}
	directedBins = []float64{1.2, 2, 2.8}
)

// channelSet is what the filters look at.
type channelSet struct {
	name        string
	first, last int  // of L*, a*, b*: channels first ≤ c < last
	finest      int  // the first octave that is looked at
	arranged    bool // whether the quarters are told apart
}

// Chroma is seen, and stored by JPEG, at half the resolution of lightness.
var channelSets = []channelSet{
	{name: "light", first: 0, last: 1, finest: 0, arranged: true},
	{name: "chroma", first: 1, last: 3, finest: 1},
}

// part is one kind of number: its centre is what is expected of an ordinary
// picture, by formula or by round number; its weight is that of the whole
// part, which is shared by its numbers.
type part struct{ centre, weight float64 }

var parts = map[string]part{
	"joint":       {centre: 0.05, weight: 0.5},
	"marginals":   {centre: 0.4, weight: 0.5},
	"entropy":     {centre: 2.5, weight: 0.5},
	"level":       {centre: -3.5, weight: 1.5},
	"sparsity":    {centre: 0.5, weight: 2},
	"harmonics":   {centre: 0.3, weight: 3},
	"spread":      {centre: 0.4, weight: 2.5},
	"responses":   {centre: 0.2, weight: 3},
	"orientation": {centre: 0, weight: 1.5},
	"arrangement": {centre: 0, weight: 1},
}

// parametersText holds every number that the function depends on.
func parametersText() string {
	return fmt.Sprintln("palate baseline", version, side, quarters, spreadCells, octaves, orientations, harmonics, kernelSide,
		wavelength, sigma, labScale, amplitudeEps, histogramEps, squareEps, lightBins, opponentBins, strengthBins, directedBins, channelSets, parts)
}
