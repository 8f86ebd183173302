//go:build cgo && !purego

package operators

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, what string, got []float32, want func(i int) float64, bound float64) {
	t.Helper()
	for i, g := range got {
		if w := want(i); !(math.Abs(float64(g)-w) <= bound*(1+math.Abs(w))) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, g, w)
		}
	}
}

// Every length of what is left over by vectors and by threads' parts.
var sizes = []struct{ rows, width int }{{1, 1}, {1, 3}, {2, 7}, {5, 16}, {3, 37}, {130, 64}, {257, 384}, {2, 40000}}

func TestGelu(t *testing.T) {
	var x []float32
	for v := -45.; v <= 45; v += .003 {
		x = append(x, float32(v))
	}
	x = append(x, 1e30, -1e30, 0, float32(math.Copysign(0, -1)))
	for from := range 20 {
		got := make([]float32, len(x)-from)
		Gelu(x[from:], got)
		near(t, "gelu", got, func(i int) float64 {
			v := float64(x[from+i])
			return v * .5 * math.Erfc(-v/math.Sqrt2)
		}, 1e-6)
	}
	bad := []float32{float32(math.NaN())}
	if Gelu(bad, bad); bad[0] == bad[0] {
		t.Errorf("of what is no number came %v", bad[0])
	}
}

func TestALayerNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	for _, s := range sizes {
		x, scale, shift := random(r, s.rows*s.width), random(r, s.width), random(r, s.width)
		for i := range x { // far from 0, where a variance from squares alone is lost
			x[i] += 300 * float32(i/s.width%3)
		}
		out, means, inverses := make([]float32, len(x)), make([]float32, s.rows), make([]float32, s.rows)
		Norm(x, scale, shift, 1e-6, out, means, inverses)
		mean, inverse := make([]float64, s.rows), make([]float64, s.rows)
		for row := range s.rows {
			for _, v := range x[row*s.width : (row+1)*s.width] {
				mean[row] += float64(v) / float64(s.width)
			}
			square := 0.
			for _, v := range x[row*s.width : (row+1)*s.width] {
				square += (float64(v) - mean[row]) * (float64(v) - mean[row]) / float64(s.width)
			}
			inverse[row] = 1 / math.Sqrt(square+1e-6)
		}
		near(t, "means", means, func(i int) float64 { return mean[i] }, 1e-6)
		near(t, "inverse deviations", inverses, func(i int) float64 { return inverse[i] }, 1e-4)
		near(t, "norm", out, func(i int) float64 {
			row, column := i/s.width, i%s.width
			return (float64(x[i])-mean[row])*inverse[row]*float64(scale[column]) + float64(shift[column])
		}, 2e-4)
	}
}

func TestGradientOfGelu(t *testing.T) {
	var x, d []float32
	for v := -45.; v <= 45; v += .003 {
		x, d = append(x, float32(v)), append(d, float32(1.5-v/100))
	}
	x, d = append(x, 1e30, -1e30, 0, float32(math.Copysign(0, -1))), append(d, 1, 1, 1, 1)
	for from := range 20 { // from other places in vectors
		got := make([]float32, len(x)-from)
		GeluGradient(d[from:], x[from:], got)
		near(t, "gelu", got, func(i int) float64 {
			v := float64(x[from+i])
			density := math.Exp(-v*v/2) / math.Sqrt(2*math.Pi)
			return float64(d[from+i]) * (.5*math.Erfc(-v/math.Sqrt2) + v*density)
		}, 1e-6)
	}
	bad := []float32{float32(math.NaN())}
	if GeluGradient([]float32{1}, bad, bad); bad[0] == bad[0] {
		t.Errorf("of what is no number came %v", bad[0])
	}
}

func TestGradientOfSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, s := range sizes {
		d, y, got := random(r, s.rows*s.width), random(r, s.rows*s.width), make([]float32, s.rows*s.width)
		for i := range y { // any weights do
			y[i] /= float32(s.width)
		}
		SoftmaxGradient(d, y, got, s.width)
		sums := make([]float64, s.rows)
		for i := range d {
			sums[i/s.width] += float64(d[i]) * float64(y[i])
		}
		near(t, "softmax", got, func(i int) float64 { return float64(y[i]) * (float64(d[i]) - sums[i/s.width]) }, 1e-5)
	}
}

func TestGradientsOfALayerNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, s := range sizes {
		d, x, scale := random(r, s.rows*s.width), random(r, s.rows*s.width), random(r, s.width)
		mean, inverse := random(r, s.rows), random(r, s.rows)
		plain, product := make([]float64, s.rows), make([]float64, s.rows)
		scales, shifts := make([]float64, s.width), make([]float64, s.width)
		normal := func(i int) float64 {
			return (float64(x[i]) - float64(mean[i/s.width])) * float64(inverse[i/s.width])
		}
		for i := range d {
			row, column := i/s.width, i%s.width
			h := float64(d[i]) * float64(scale[column])
			plain[row] += h / float64(s.width)
			product[row] += h * normal(i) / float64(s.width)
			scales[column] += float64(d[i]) * normal(i)
			shifts[column] += float64(d[i])
		}
		for _, wanted := range []struct{ x, sums bool }{{true, true}, {true, false}, {false, true}} {
			var got, gotScales, gotShifts []float32
			if wanted.x {
				got = make([]float32, len(x))
			}
			if wanted.sums {
				gotScales, gotShifts = make([]float32, s.width), make([]float32, s.width)
			}
			if err := NormGradients(d, x, scale, mean, inverse, got, gotScales, gotShifts); err != nil {
				t.Fatal(err)
			}
			near(t, "norm", got, func(i int) float64 {
				row, column := i/s.width, i%s.width
				return (float64(d[i])*float64(scale[column]) - plain[row] - normal(i)*product[row]) * float64(inverse[row])
			}, 1e-4)
			near(t, "scales", gotScales, func(i int) float64 { return scales[i] }, 1e-4)
			near(t, "shifts", gotShifts, func(i int) float64 { return shifts[i] }, 1e-4)
		}
	}
}

func TestGradientsOfAScale(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	for _, s := range sizes {
		d, x, scale := random(r, s.rows*s.width), random(r, s.rows*s.width), random(r, s.width)
		got, gotScales := make([]float32, len(x)), make([]float32, s.width)
		if err := ScaleGradients(d, x, scale, got, gotScales); err != nil {
			t.Fatal(err)
		}
		near(t, "x", got, func(i int) float64 { return float64(d[i]) * float64(scale[i%s.width]) }, 1e-6)
		near(t, "scales", gotScales, func(column int) (sum float64) {
			for row := range s.rows {
				sum += float64(d[row*s.width+column]) * float64(x[row*s.width+column])
			}
			return sum
		}, 1e-4)
	}
}
