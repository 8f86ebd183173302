package probe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/palate-art/palate"
)

// Graded is a linear function fitted to grades. It never changes.
type Graded struct {
	Weights  []float64
	Bias     float64 // the grade of a row of zeros
	Strength float64 // of the ridge, as FitGrades chose it
}

// Grade is the grade that the function expects of a row.
func (g *Graded) Grade(row []float32) float64 { return dot(g.Weights, row) + g.Bias }

// order is Grade but for the same number everywhere. What folds learned apart
// is compared by it: the mean grade of what a fold learned from is the higher,
// the lower the grades that it was not shown.
func (g *Graded) order(row []float32) float64 { return dot(g.Weights, row) }

// ridgeStrengths are tried by FitGrades, as multiples of the rows' mean
// squared length about their mean.
var ridgeStrengths = []float64{.01, .03, .1, .3, 1, 3, 10, 30, 100, 300, 1000}

// FitGrades learns grades, of any scale on which more is better, by ridge
// regression: it minimises Σ(w·x_i+b-g_i)² + λ|w|² (Hoerl and Kennard, 1970),
// with the λ of ridgeStrengths whose squared error over each row left out in
// turn is least, which one decomposition gives for all (Allen's PRESS, 1974).
// Fewer than 3 rows and grades that are all the same are palate.ErrConflict;
// rows that differ in length, and values that are no finite numbers,
// palate.ErrInvalid. Rows are read and not kept.
func FitGrades(rows [][]float32, grades []float64) (*Graded, error) {
	if len(rows) != len(grades) {
		return nil, invalid("%d rows and %d grades, want as many of both", len(rows), len(grades))
	}
	if len(rows) < 3 || slices.Min(grades) == slices.Max(grades) {
		return nil, fmt.Errorf("%d grades, want 3 or more that are not all the same: %w", len(grades), palate.ErrConflict)
	}
	x, means, err := centred(rows)
	if err != nil {
		return nil, err
	}
	mean := 0.
	for i, g := range grades {
		if math.IsNaN(g) || math.IsInf(g, 0) {
			return nil, invalid("grade %d is %v", i, g)
		}
		mean += g / float64(len(grades))
	}
	left := make([]float64, len(grades))
	for i, g := range grades {
		left[i] = g - mean
	}
	u, squares, err := directions(x)
	if err != nil {
		return nil, err
	}
	total := 0.
	for _, s := range squares {
		total += s
	}
	var along mat.VecDense // the grades along each direction
	along.MulVec(u.T(), mat.NewVecDense(len(left), left))
	best, strength := math.Inf(1), 0.
	for _, multiple := range slices.Backward(ridgeStrengths) {
		lambda := multiple * total / float64(len(rows))
		if press := leftOut(u, squares, &along, left, lambda); press < best {
			best, strength = press, lambda
		}
	}
	for j, s := range squares {
		along.SetVec(j, along.AtVec(j)/(s+strength))
	}
	var dual, weights mat.VecDense
	dual.MulVec(u, &along)
	weights.MulVec(x.T(), &dual)
	g := &Graded{Weights: slices.Clone(weights.RawVector().Data), Bias: mean, Strength: strength}
	for j, m := range means {
		g.Bias -= g.Weights[j] * m
	}
	return g, nil
}

// centred is the rows less their mean.
func centred(rows [][]float32) (*mat.Dense, []float64, error) {
	dim := len(rows[0])
	if dim == 0 {
		return nil, nil, invalid("row 0 has no values")
	}
	means := make([]float64, dim)
	x := mat.NewDense(len(rows), dim, nil)
	for i, row := range rows {
		if len(row) != dim {
			return nil, nil, invalid("row %d has %d values and row 0 has %d, want the same", i, len(row), dim)
		}
		for j, v := range row {
			f := float64(v)
			if math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, nil, invalid("value %d of row %d is %v", j, i, v)
			}
			means[j] += f / float64(len(rows))
			x.Set(i, j, f)
		}
	}
	for i := range rows {
		r := x.RawRowView(i)
		for j := range r {
			r[j] -= means[j]
		}
	}
	return x, means, nil
}

// directions are the left singular vectors of x with the squares of the
// singular values, but for those that rounding leaves of 0. The smaller of the
// two products of x with itself is decomposed.
func directions(x *mat.Dense) (*mat.Dense, []float64, error) {
	n, dim := x.Dims()
	var product mat.SymDense
	if n <= dim {
		product.SymOuterK(1, x)
	} else {
		product.SymOuterK(1, x.T())
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(&product, true) {
		return nil, nil, invalid("the rows can't be decomposed")
	}
	values := eigen.Values(nil) // rising
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	floor := values[len(values)-1] * 1e-10
	first := 0
	for first < len(values) && (values[first] <= floor || values[first] <= 0) {
		first++
	}
	squares := values[first:]
	if len(squares) == 0 {
		return nil, nil, fmt.Errorf("all rows are the same: %w", palate.ErrConflict)
	}
	size, _ := vectors.Dims()
	kept := vectors.Slice(0, size, first, size)
	if n <= dim {
		return mat.DenseCopyOf(kept), squares, nil
	}
	u := new(mat.Dense)
	u.Mul(x, kept)
	u.Apply(func(_, j int, v float64) float64 { return v / math.Sqrt(squares[j]) }, u)
	return u, squares, nil
}

// leftOut is the sum of the squared errors of rows that were left out in turn.
func leftOut(u *mat.Dense, squares []float64, along *mat.VecDense, left []float64, lambda float64) (sum float64) {
	for i, g := range left {
		fitted, own := 0., 1/float64(len(left))
		for j, v := range u.RawRowView(i) {
			shrunk := v * squares[j] / (squares[j] + lambda)
			fitted += shrunk * along.AtVec(j)
			own += shrunk * v
		}
		e := (g - fitted) / (1 - own)
		sum += e * e
	}
	return sum
}
