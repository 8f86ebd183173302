package simd

import (
	"fmt"
	"math"
)

// AdamW are the factors of one step of AdamW on numbers of one tensor. With g
// = Gradient·gradient, a step is
//
//	moment = Moment·moment + g
//	square = Square·square + Share·g·g
//	value  = Keep·value − Rate·moment/(√square + Epsilon)
//
// in float32, rounded after every operation, from left to right.
type AdamW struct{ Moment, Gradient, Square, Share, Keep, Rate, Epsilon float32 }

// AdamW makes one step, in place: the slices are of the same length and share
// no memory. It gives the same bits with every kernel.
func (k Kernel) AdamW(a AdamW, values, gradients, moments, squares []float32) {
	if n := len(values); len(gradients) != n || len(moments) != n || len(squares) != n {
		panic(fmt.Sprintf("simd: %d values, %d gradients, %d and %d moments", n, len(gradients), len(moments), len(squares)))
	}
	k.adamW(a, values, gradients, moments, squares)
}

// Add adds part to sum, which is as long and shares no memory with it.
func (k Kernel) Add(sum, part []float32) {
	if len(sum) != len(part) {
		panic(fmt.Sprintf("simd: %d numbers added to %d", len(part), len(sum)))
	}
	k.add(sum, part)
}

// Squares is the sum of squares, in float64: number i belongs to sum i mod 16,
// and the sums are added up by halves. It gives the same bits with every
// kernel.
func (k Kernel) Squares(x []float32) float64 { return k.squares(x) }

// The conversions keep products and sums two operations, where processors have
// one for both.
func adamWGo(a AdamW, values, gradients, moments, squares []float32) {
	gradients, moments, squares = gradients[:len(values)], moments[:len(values)], squares[:len(values)]
	for i, v := range values {
		g := float32(gradients[i] * a.Gradient)
		m := float32(a.Moment*moments[i]) + g
		s := float32(a.Square*squares[i]) + float32(float32(a.Share*g)*g)
		moments[i], squares[i] = m, s
		values[i] = float32(a.Keep*v) - float32(a.Rate*m)/(float32(math.Sqrt(float64(s)))+a.Epsilon)
	}
}

func addGo(sum, part []float32) {
	part = part[:len(sum)]
	for i, v := range part {
		sum[i] += v
	}
}

func squaresGo(x []float32) float64 {
	var lanes [dotLanes]float64
	for ; len(x) >= dotLanes; x = x[dotLanes:] {
		for k, v := range (*[dotLanes]float32)(x) {
			lanes[k] += float64(v) * float64(v)
		}
	}
	for k, v := range x {
		lanes[k] += float64(v) * float64(v)
	}
	return byHalves(lanes)
}
