package main

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/palate-art/palate/probe"
)

// newtonObjective minimises the same loss by Newton's method with a Cholesky
// factor of the whole Hessian, in float64, until the gradient is nothing but
// rounding: an optimiser that shares nothing with the probe's.
func newtonObjective(s probe.Samples, c float64) float64 {
	n, dim := len(s.Rows), len(s.Rows[0])+1
	x := mat.NewDense(n, dim, nil) // the last column is the intercept's
	for i, row := range s.Rows {
		out := x.RawRowView(i)
		for j, v := range row {
			out[j] = float64(v)
		}
		out[dim-1] = 1
	}
	theta := mat.NewVecDense(dim, nil)
	value := func(theta *mat.VecDense) (loss float64, gradient *mat.VecDense, curvature []float64) {
		logits := mat.NewVecDense(n, nil)
		logits.MulVec(x, theta)
		residual := mat.NewVecDense(n, nil)
		curvature = make([]float64, n)
		for i := range n {
			z := logits.AtVec(i)
			sign := -1.
			if s.Liked[i] {
				sign = 1
			}
			loss += c * s.Weights[i] * (math.Log1p(math.Exp(-math.Abs(z))) + math.Max(0, -sign*z))
			p := 1 / (1 + math.Exp(-z))
			residual.SetVec(i, c*s.Weights[i]*(p-(sign+1)/2))
			curvature[i] = c * s.Weights[i] * p * (1 - p)
		}
		gradient = mat.NewVecDense(dim, nil)
		gradient.MulVec(x.T(), residual)
		for j := range dim - 1 {
			w := theta.AtVec(j)
			loss += w * w / 2
			gradient.SetVec(j, gradient.AtVec(j)+w)
		}
		return loss, gradient, curvature
	}
	loss, gradient, curvature := value(theta)
	for range 100 {
		weighted := mat.NewDense(n, dim, nil)
		for i := range n {
			root, from, to := math.Sqrt(curvature[i]), x.RawRowView(i), weighted.RawRowView(i)
			for j, v := range from {
				to[j] = root * v
			}
		}
		hessian := mat.NewSymDense(dim, nil)
		hessian.SymOuterK(1, weighted.T())
		for j := range dim - 1 {
			hessian.SetSym(j, j, hessian.At(j, j)+1)
		}
		hessian.SetSym(dim-1, dim-1, hessian.At(dim-1, dim-1)+1e-12)
		var factor mat.Cholesky
		step := mat.NewVecDense(dim, nil)
		if !factor.Factorize(hessian) || factor.SolveVecTo(step, gradient) != nil {
			return math.NaN()
		}
		decrease := mat.Dot(gradient, step)
		for size := 1.; size > 1e-8; size /= 2 {
			next := mat.NewVecDense(dim, nil)
			next.AddScaledVec(theta, -size, step)
			if l, g, h := value(next); l <= loss {
				theta, loss, gradient, curvature = next, l, g, h
				break
			}
		}
		if decrease < 1e-13*loss {
			break
		}
	}
	return loss
}
