package vit_test

import (
	"fmt"
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// reference computes a spec's model in float64 by the formulas of the papers,
// without any of the code that is tested.
type reference struct {
	spec
	parameters map[string]parameter
	antialias  bool
}

func (r reference) vector(name string) []float64 {
	p, found := r.parameters[name]
	if !found {
		return nil
	}
	out := make([]float64, len(p.values))
	for i, v := range p.values {
		out[i] = float64(v)
	}
	return out
}

// linear is x·Wᵀ + b.
func (r reference) linear(name string, x *mat.Dense) *mat.Dense {
	shape := r.parameters[name+".weight"].shape
	var y mat.Dense
	y.Mul(x, mat.NewDense(int(shape[0]), int(shape[1]), r.vector(name+".weight")).T())
	if bias := r.vector(name + ".bias"); bias != nil {
		for i := range y.RawMatrix().Rows {
			floats.Add(y.RawRowView(i), bias)
		}
	}
	return &y
}

func (r reference) norm(name string, x *mat.Dense) *mat.Dense {
	y := mat.DenseCopyOf(x)
	scale, shift := r.vector(name+".weight"), r.vector(name+".bias")
	for i := range y.RawMatrix().Rows {
		row := y.RawRowView(i)
		mean := floats.Sum(row) / float64(len(row))
		floats.AddConst(-mean, row)
		variance := floats.Dot(row, row) / float64(len(row))
		floats.Scale(1/math.Sqrt(variance+r.epsilon), row)
		floats.Mul(row, scale)
		floats.Add(row, shift)
	}
	return y
}

// kernel is cubic convolution, written piece by piece from Keys' paper.
func kernel(x, a float64) float64 {
	x = math.Abs(x)
	if x <= 1 {
		return (a+2)*math.Pow(x, 3) - (a+3)*math.Pow(x, 2) + 1
	}
	if x < 2 {
		return a*math.Pow(x, 3) - 5*a*math.Pow(x, 2) + 8*a*x - 4*a
	}
	return 0
}

// share is sample i's part in output o of a line of from samples brought to
// to, a matrix that every resampling is.
func (r reference) share(i, o, from, to int) float64 {
	middle := (float64(o)+0.5)*float64(from)/float64(to) - 0.5
	if !r.antialias {
		sum := 0.0
		for at := int(math.Floor(middle)) - 1; at <= int(math.Floor(middle))+2; at++ {
			if at == i || at < 0 && i == 0 || at >= from && i == from-1 {
				sum += kernel(middle-float64(at), -0.75)
			}
		}
		return sum
	}
	stretch := math.Max(1, float64(from)/float64(to))
	sum := 0.0
	for at := range from {
		sum += kernel((middle-float64(at))/stretch, -0.5)
	}
	return kernel((middle-float64(i))/stretch, -0.5) / sum
}

// positions is what is added to the tokens of a grid.
func (r reference) positions(rows, columns int) *mat.Dense {
	stored := r.vector("positions")
	out := mat.NewDense(1+r.registers+rows*columns, r.dim, nil)
	for p := range r.positionPrefix {
		copy(out.RawRowView(p), stored[p*r.dim:][:r.dim])
	}
	grid := stored[r.positionPrefix*r.dim:]
	for y := range rows {
		for x := range columns {
			to := out.RawRowView(1 + r.registers + y*columns + x)
			if rows == r.rows && columns == r.columns {
				copy(to, grid[(y*columns+x)*r.dim:])
				continue
			}
			for fromY := range r.rows {
				for fromX := range r.columns {
					part := r.share(fromY, y, r.rows, rows) * r.share(fromX, x, r.columns, columns)
					floats.AddScaled(to, part, grid[(fromY*r.columns+fromX)*r.dim:][:r.dim])
				}
			}
		}
	}
	return out
}

// rotate multiplies the complex numbers that pairs of a head's values are by
// those of the token's angles, for patches.
func (r reference) rotate(x *mat.Dense, rows, columns int) {
	head := r.dim / r.heads
	for y := range rows {
		for c := range columns {
			row := x.RawRowView(1 + r.registers + y*columns + c)
			for pair := 0; pair < r.dim/2; pair++ {
				band := pair % (head / 2)
				place := 16 * float64(y) / float64(rows)
				if band >= head/4 {
					band -= head / 4
					place = 16 * float64(c) / float64(columns)
				}
				turn := cmplx.Rect(1, place/math.Pow(10000, 4*float64(band)/float64(head)))
				z := complex(row[2*pair], row[2*pair+1]) * turn
				row[2*pair], row[2*pair+1] = real(z), imag(z)
			}
		}
	}
}

func (r reference) attention(n int, h *mat.Dense, rows, columns int) *mat.Dense {
	q, k, v := r.linear(fmt.Sprintf("%d.query", n), h), r.linear(fmt.Sprintf("%d.key", n), h), r.linear(fmt.Sprintf("%d.value", n), h)
	if r.rotary {
		r.rotate(q, rows, columns)
		r.rotate(k, rows, columns)
	}
	tokens, width := q.RawMatrix().Rows, r.dim/r.heads
	out := mat.NewDense(tokens, r.dim, nil)
	for head := range r.heads {
		of := func(m *mat.Dense) mat.Matrix { return m.Slice(0, tokens, head*width, (head+1)*width) }
		var shares, mixed mat.Dense
		shares.Mul(of(q), of(k).T())
		for i := range tokens {
			row := shares.RawRowView(i)
			floats.Scale(1/math.Sqrt(float64(width)), row)
			floats.AddConst(-floats.LogSumExp(row), row)
			for j := range row {
				row[j] = math.Exp(row[j])
			}
		}
		mixed.Mul(&shares, of(v))
		out.Slice(0, tokens, head*width, (head+1)*width).(*mat.Dense).Copy(&mixed)
	}
	return r.linear(fmt.Sprintf("%d.projection", n), out)
}

func (r reference) mlp(n int, h *mat.Dense) *mat.Dense {
	up := r.linear(fmt.Sprintf("%d.up", n), h)
	if r.swiglu {
		gate := r.linear(fmt.Sprintf("%d.gate", n), h)
		up.Apply(func(i, j int, v float64) float64 { g := gate.At(i, j); return v * g / (1 + math.Exp(-g)) }, up)
	} else {
		up.Apply(func(_, _ int, v float64) float64 { return v * 0.5 * math.Erfc(-v/math.Sqrt2) }, up)
	}
	if r.innerNorm {
		up = r.norm(fmt.Sprintf("%d.inner", n), up)
	}
	return r.linear(fmt.Sprintf("%d.down", n), up)
}

// join adds an update, scaled, to the tokens.
func (r reference) join(x, update *mat.Dense, scale string) {
	factors := r.vector(scale)
	for i := range x.RawMatrix().Rows {
		row := update.RawRowView(i)
		if factors != nil {
			floats.Mul(row, factors)
		}
		floats.Add(x.RawRowView(i), row)
	}
}

// run gives all tokens after the last LayerNorm before pooling, and the
// pooled feature, of one picture [3, height, width].
func (r reference) run(pixels []float32, width, height int, pool string) (tokens *mat.Dense, feature []float64) {
	rows, columns := height/r.patch, width/r.patch
	prefix := 1 + r.registers
	x := r.positions(rows, columns)
	floats.Add(x.RawRowView(0), r.vector("class"))
	for i := range r.registers {
		floats.Add(x.RawRowView(1+i), r.vector("registers")[i*r.dim:][:r.dim])
	}
	weight, bias := r.vector("patches.weight"), r.vector("patches.bias")
	for p := range rows * columns {
		row := x.RawRowView(prefix + p)
		floats.Add(row, bias)
		for d := range row {
			for at := range 3 * r.patch * r.patch {
				channel, inside := at/(r.patch*r.patch), at%(r.patch*r.patch)
				py, px := p/columns*r.patch+inside/r.patch, p%columns*r.patch+inside%r.patch
				row[d] += weight[d*3*r.patch*r.patch+at] * float64(pixels[(channel*height+py)*width+px])
			}
		}
	}
	for n := range r.depth {
		r.join(x, r.attention(n, r.norm(fmt.Sprintf("%d.norm1", n), x), rows, columns), fmt.Sprintf("%d.scale1", n))
		r.join(x, r.mlp(n, r.norm(fmt.Sprintf("%d.norm2", n), x)), fmt.Sprintf("%d.scale2", n))
	}
	if !r.pooledNorm {
		x = r.norm("norm", x)
	}
	mean := mat.NewDense(1, r.dim, nil)
	for i := prefix; i < prefix+rows*columns; i++ {
		floats.AddScaled(mean.RawRowView(0), 1/float64(rows*columns), x.RawRowView(i))
	}
	if r.pooledNorm {
		mean = r.norm("norm", mean)
	}
	if pool != "mean" {
		feature = append(feature, x.RawRowView(0)...)
	}
	if pool != "cls" {
		feature = append(feature, mean.RawRowView(0)...)
	}
	return x, feature
}
