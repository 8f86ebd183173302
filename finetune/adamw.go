package finetune

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/palate-art/palate/internal/ort"
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
			all[p.Name+gradientSuffix] = ort.Tensor{Shape: p.Shape, Data: make([]float32, elements(p.Shape))}
		}
	}
	return all
}

// addPart adds the gradients of one run to those of the step.
func (t *Trainer) addPart() {
	t.each(t.pieces(), func(_ int, p piece) {
		sum, part := p.of(t.sums, gradientSuffix), p.of(t.part, gradientSuffix)
		for i := range sum {
			sum[i] += part[i]
		}
	})
}

// norm is that of all gradients together, the same on any number of threads.
func (t *Trainer) norm() float64 {
	pieces := t.pieces()
	squares := make([]float64, len(pieces))
	t.each(pieces, func(i int, p piece) {
		var sum float64
		for _, g := range p.of(t.sums, gradientSuffix) {
			sum += float64(g) * float64(g)
		}
		squares[i] = sum
	})
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
	t.each(t.pieces(), func(_ int, p piece) {
		keep := 1.
		if p.Decay {
			keep = 1 - a.decayed*p.rate
		}
		a.change(p.of(t.state, ""), p.of(t.sums, gradientSuffix), p.of(t.state, momentSuffix), p.of(t.state, squaresSuffix), float32(keep), float32(a.rate*p.rate))
	})
}

// change updates numbers of one tensor, all of the same length; each is first
// multiplied by keep.
func (a adamW) change(values, gradients, moments, squares []float32, keep, rate float32) {
	factor := float32(a.factor * (1 - beta1))
	share := float32((1 - beta2) / ((1 - beta1) * (1 - beta1)))
	epsilon := float32(adamEpsilon * a.root)
	values, moments, squares = values[:len(gradients)], moments[:len(gradients)], squares[:len(gradients)]
	for i, g := range gradients {
		g *= factor // what the gradient adds to the moment
		m := beta1*moments[i] + g
		s := beta2*squares[i] + share*g*g
		moments[i], squares[i] = m, s
		values[i] = keep*values[i] - rate*m/(float32(math.Sqrt(float64(s)))+epsilon)
	}
}
