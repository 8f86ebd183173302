package probe

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// Rows are summed in blocks whose bounds depend on their number alone, and
// the blocks in their order, so that the sums are the same to the last bit
// whatever the parallelism.
const (
	blockRows = 256
	maxBlocks = 64
)

// objective is the loss that Fit minimises over parameters θ = (w, b):
//
//	C·Σ s_i·log(1+exp(-y_i(w·z_i+b))) + ½|w|²,  y_i = ±1
//
// where z_i is row i less the mean of all rows, and divided by each feature's
// deviation if the rows are standardised. Shifting leaves the optimal w as it
// is, because b is free, and brings a descent along embeddings, which lie in a
// narrow cone, to it in far fewer steps. Loss and gradient are computed in one
// pass over the float32 rows, which are read as they are: shift and scale are
// moved from the rows to the weights.
type objective struct {
	*frame
	samples Samples
	c       float64
	dim     int
	workers int

	folded []float64 // w in the space of the rows
	blocks []blockSum
	size   int // rows of a block, a multiple of four

	at   []float64 // where loss and grad were computed last
	loss float64
	grad []float64
}

// blockSum is what a block of rows adds to the loss and the gradient.
type blockSum struct {
	loss, residual float64
	grad           []float64
}

func newObjective(s Samples, f *frame, o FitOptions) *objective {
	n, dim := len(s.Rows), len(s.Rows[0])
	obj := &objective{
		frame: f, samples: s, c: o.C, dim: dim, workers: workers(o.Parallelism),
		folded: make([]float64, dim), grad: make([]float64, dim+1),
		size: (max(blockRows, (n+maxBlocks-1)/maxBlocks) + 3) / 4 * 4,
	}
	obj.blocks = make([]blockSum, (n+obj.size-1)/obj.size)
	for i := range obj.blocks {
		obj.blocks[i].grad = make([]float64, dim)
	}
	return obj
}

// frame is what a descent takes from the rows beforehand. It is the same for
// every strength.
type frame struct {
	shift  []float64 // mean of each feature
	scale  []float64 // 1 / deviation of each feature, or 1
	spread float64   // the largest value that the loss at C = 1 could give any part of the gradient
}

func newFrame(s Samples, standardise bool) *frame {
	f := &frame{}
	f.shift, f.scale = moments(s.Rows)
	if !standardise {
		for j := range f.scale {
			f.scale[j] = 1
		}
	}
	sums := make([]float64, len(f.shift))
	var total float64
	for i, row := range s.Rows {
		weight := s.weight(i)
		total += weight
		for j, x := range row {
			sums[j] += weight * math.Abs(float64(x)-f.shift[j]) * f.scale[j]
		}
	}
	f.spread = max(total, slices.Max(sums))
	return f
}

// value and gradient share one pass: L-BFGS asks for both at the same place.
func (o *objective) value(theta []float64) float64 {
	o.evaluate(theta)
	return o.loss
}

func (o *objective) gradient(grad, theta []float64) {
	o.evaluate(theta)
	copy(grad, o.grad)
}

// fold puts the weights for the rows as they are into weights and returns
// the bias for them.
func (f *frame) fold(weights, theta []float64) (bias float64) {
	copy(weights, theta[:len(f.scale)])
	bias = theta[len(f.scale)]
	for j := range f.scale {
		weights[j] *= f.scale[j]
		bias -= weights[j] * f.shift[j]
	}
	return bias
}

// unfold is the inverse of fold: where a descent begins that goes on from
// weights and a bias for the rows as they are.
func (f *frame) unfold(weights []float64, bias float64) (theta []float64) {
	theta = make([]float64, len(weights)+1)
	for j, w := range weights {
		theta[j] = w / f.scale[j]
		bias += w * f.shift[j]
	}
	theta[len(weights)] = bias
	return theta
}

func (o *objective) evaluate(theta []float64) {
	if slices.Equal(o.at, theta) {
		return
	}
	o.at = append(o.at[:0], theta...)
	bias := o.fold(o.folded, theta)
	if n := min(o.workers, len(o.blocks)); n > 1 {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				for b := next.Add(1) - 1; int(b) < len(o.blocks); b = next.Add(1) - 1 {
					o.sum(int(b), bias)
				}
			})
		}
		wg.Wait()
	} else {
		for b := range o.blocks {
			o.sum(b, bias)
		}
	}
	o.collect(theta)
}

// collect adds up the blocks and the regularisation.
func (o *objective) collect(theta []float64) {
	var residual float64
	o.loss = 0
	clear(o.grad)
	for b := range o.blocks {
		block := &o.blocks[b]
		o.loss += block.loss
		residual += block.residual
		for j, g := range block.grad {
			o.grad[j] += g
		}
	}
	o.loss *= o.c
	var square float64
	for j, w := range theta[:o.dim] {
		o.grad[j] = o.c*o.scale[j]*(o.grad[j]-o.shift[j]*residual) + w
		square += w * w
	}
	o.grad[o.dim] = o.c * residual
	o.loss += square / 2
}

// sum computes one block, four rows at a time: the weights are then loaded,
// and the gradient loaded and stored, once for the four.
func (o *objective) sum(b int, bias float64) {
	block := &o.blocks[b]
	block.loss, block.residual = 0, 0
	clear(block.grad)
	rows := o.samples.Rows
	i, end := b*o.size, min((b+1)*o.size, len(rows))
	for ; i+4 <= end; i += 4 {
		z0, z1, z2, z3 := dot4(o.folded, rows[i], rows[i+1], rows[i+2], rows[i+3])
		r0 := o.residual(block, i, z0+bias)
		r1 := o.residual(block, i+1, z1+bias)
		r2 := o.residual(block, i+2, z2+bias)
		r3 := o.residual(block, i+3, z3+bias)
		add4(block.grad, r0, r1, r2, r3, rows[i], rows[i+1], rows[i+2], rows[i+3])
	}
	for ; i < end; i++ {
		r := o.residual(block, i, dot(o.folded, rows[i])+bias)
		for j, x := range rows[i] {
			block.grad[j] += r * float64(x)
		}
	}
}

// residual adds the loss of example i at its logit to the block and returns
// the derivative of that loss by the logit.
func (o *objective) residual(block *blockSum, i int, logit float64) float64 {
	sign, weight := -1., o.samples.weight(i)
	if o.samples.Liked[i] {
		sign = 1
	}
	loss, wrong := logLoss(sign * logit)
	block.loss += weight * loss
	r := -sign * weight * wrong
	block.residual += r
	return r
}

// logLoss returns log(1+exp(-m)) and its negative derivative 1/(1+exp(m))
// without overflow.
func logLoss(m float64) (loss, wrong float64) {
	if m > 0 {
		e := math.Exp(-m)
		return math.Log1p(e), e / (1 + e)
	}
	e := math.Exp(m)
	return math.Log1p(e) - m, 1 / (1 + e)
}

// bound is the largest value that the loss could give any part of the
// gradient: what a gradient is small against.
func (o *objective) bound() float64 { return o.c * o.spread }

// moments returns the mean of every feature and the inverse of its population
// deviation; a feature that does not vary beyond float32's rounding is scaled
// by 1 and so stays 0 everywhere.
func moments(rows [][]float32) (mean, inverse []float64) {
	mean, inverse = make([]float64, len(rows[0])), make([]float64, len(rows[0]))
	n := float64(len(rows))
	for _, row := range rows {
		for j, x := range row {
			mean[j] += float64(x)
		}
	}
	for j := range mean {
		mean[j] /= n
	}
	for _, row := range rows {
		for j, x := range row {
			d := float64(x) - mean[j]
			inverse[j] += d * d
		}
	}
	for j, square := range inverse {
		inverse[j] = 1
		if deviation := math.Sqrt(square / n); deviation > 1e-7*math.Abs(mean[j]) && deviation > 1e-12 {
			inverse[j] = 1 / deviation
		}
	}
	return mean, inverse
}
