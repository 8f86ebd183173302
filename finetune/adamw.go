package finetune

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/simd"
)

// pieceLength is how many numbers of a tensor one thread takes at a time.
const pieceLength = 1 << 16

// piece is a part of a trained parameter.
type piece struct {
	parameter
	from, to int
}

// of is the piece of a tensor that belongs to the parameter.
func (p piece) of(tensors map[string]ort.Tensor, suffix string) []float32 {
	return tensors[p.Name+suffix].Data[p.from:p.to]
}

// pieces cuts up all that is trained.
func (t *Trainer) pieces() []piece {
	var all []piece
	for _, p := range t.parameters {
		for n, from := int(elements(p.Shape)), 0; p.trained && from < n; from += pieceLength {
			all = append(all, piece{p, from, min(n, from+pieceLength)})
		}
	}
	return all
}

// each calls work once for each piece, on all threads.
func (t *Trainer) each(pieces []piece, work func(i int, p piece)) {
	var next atomic.Int64
	var threads sync.WaitGroup
	for range t.threads {
		threads.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(pieces); i = int(next.Add(1)) - 1 {
				work(i, pieces[i])
			}
		})
	}
	threads.Wait()
}

// forGradients is memory for the gradient of everything that is trained.
func (t *Trainer) forGradients() map[string]ort.Tensor {
	all := make(map[string]ort.Tensor)
	for _, p := range t.parameters {
		if p.trained {
			data := make([]float32, elements(p.Shape))
			inLargePages(data)
			all[p.Name+gradientSuffix] = ort.Tensor{Shape: p.Shape, Data: data}
		}
	}
	return all
}

// addPart adds the gradients of one run to those of the step.
func (t *Trainer) addPart() {
	t.each(t.pieces(), func(_ int, p piece) {
		t.kernel.Add(p.of(t.sums, gradientSuffix), p.of(t.part, gradientSuffix))
	})
}

// norm is that of all gradients together, the same on any number of threads.
func (t *Trainer) norm() float64 {
	pieces := t.pieces()
	squares := make([]float64, len(pieces))
	t.each(pieces, func(i int, p piece) { squares[i] = t.kernel.Squares(p.of(t.sums, gradientSuffix)) })
	var all float64
	for _, sum := range squares {
		all += sum
	}
	return math.Sqrt(all)
}

// adamW is one step of AdamW (Loshchilov and Hutter, Decoupled weight decay
// regularization, 2019), as the optimizer's graph makes it. As operators of a
// graph it is thirteen ways through memory for each tensor and a copy of the
// results; here it is one, and the results lie where the values were.
type adamW struct {
	factor  float64 // of the gradients, which clips them
	root    float64 // √ of the second moments' correction
	rate    float64 // corrected for both moments
	decayed float64 // the rate times the weight decay
}

// adamW is the step of the given number.
func (t *Trainer) adamW(norm, rate float64, step int) adamW {
	a := adamW{factor: 1, decayed: rate * t.plan.WeightDecay}
	if clip := t.plan.Clip; clip > 0 {
		a.factor = min(1, clip/(norm+clipEpsilon))
	}
	a.root = math.Sqrt(1 - math.Pow(beta2, float64(step)))
	a.rate = rate * a.root / (1 - math.Pow(beta1, float64(step)))
	return a
}

// update makes a step of the parameters and moments, in their place.
func (t *Trainer) update(a adamW) {
	factors := simd.AdamW{
		Moment:   beta1,
		Gradient: float32(a.factor * (1 - beta1)),
		Square:   beta2,
		Share:    float32((1 - beta2) / ((1 - beta1) * (1 - beta1))),
		Epsilon:  float32(adamEpsilon * a.root),
	}
	t.each(t.pieces(), func(_ int, p piece) {
		own, keep := factors, 1.
		if p.Decay {
			keep = 1 - a.decayed*p.rate
		}
		own.Keep, own.Rate = float32(keep), float32(a.rate*p.rate)
		t.kernel.AdamW(own, p.of(t.state, ""), p.of(t.sums, gradientSuffix), p.of(t.state, momentSuffix), p.of(t.state, squaresSuffix))
	})
}
