package finetune

import (
	"fmt"
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
	"github.com/palate-art/palate/internal/vit"
)

// The names of the graphs' inputs and outputs beside the parameters.
const (
	inImages        = "images"         // [batch, 3, height, width], normalised pixels
	inTokens        = "tokens"         // [batch, tokens, dim], in the place of images where the plan keeps tokens
	inLabels        = "labels"         // [batch], 1 is a like and 0 a dislike
	inSampleWeights = "sample_weights" // [batch]; 0 takes a picture out, as at the end of an epoch
	inClassWeights  = "class_weights"  // [2], of a dislike and of a like
	inTotalWeight   = "total_weight"   // [1], what the sum of losses is divided by: the weights of the whole batch, also where it is accumulated over several runs
	inLossScale     = "loss_scale"     // [1], a factor of all gradients
	inDropPath      = "drop_path"      // [blocks, 2, batch]
	inLearningRate  = "learning_rate"  // [1]
	inStep          = "step"           // [1], from 1
	outLoss         = "loss"           // [1]
	outLogits       = "logits"         // [batch, 2]
	outFeature      = "feature"        // [batch, features], of length 1 if the plan normalises
	outTokens       = "tokens"         // [batch, tokens, dim]
	outNorm         = "gradient_norm"  // [1], before clipping

	gradientSuffix = "_grad"
	momentSuffix   = ".exp_avg"
	squaresSuffix  = ".exp_avg_sq"
	nextSuffix     = ".out"
)

// AdamW's constants.
const (
	beta1, beta2 = .9, .999
	adamEpsilon  = 1e-8
)

// clipEpsilon keeps the division by the gradients' norm apart from 0.
const clipEpsilon = 1e-6

// ofState are the suffixes of what is kept of a trained parameter.
var ofState = []string{"", momentSuffix, squaresSuffix}

// inputs makes the parameters of the layers from first to below last inputs of
// a graph.
func (p Plan) inputs(t *autodiff.Tape, m *vit.Trainable, first, below int) vit.Weights {
	weights := make(vit.Weights)
	for _, v := range p.parameters(m) {
		if v.Layer >= first && v.Layer < below {
			weights[v.Name] = t.Input(v.Name, v.Shape...)
		}
	}
	return weights
}

// forward writes the model and its head: the feature and the logits of a
// batch, and the parameters as inputs.
func (p Plan) forward(t *autodiff.Tape, m *vit.Trainable, training bool) (feature, logits *autodiff.Value, weights vit.Weights) {
	batch, depth, from := int64(p.Batch), int64(m.Architecture.Depth), p.firstBlock(m)
	var begin *autodiff.Value
	if p.Tokens {
		begin = t.Input(inTokens, m.TokenShape(p.Batch)...)
	} else {
		begin = t.Input(inImages, batch, 3, int64(m.Height), int64(m.Width))
	}
	var keep vit.Keep
	if training && p.DropPath {
		masks := t.Input(inDropPath, depth, 2, batch)
		keep = func(block, branch int) *autodiff.Value {
			row := t.Slice(t.Slice(masks, 0, int64(block), int64(block)+1), 1, int64(branch), int64(branch)+1)
			return t.Reshape(row, batch, 1, 1)
		}
	}
	if p.Tokens {
		weights = p.inputs(t, m, from+1, m.Architecture.Depth+2)
	} else {
		weights = p.inputs(t, m, 0, m.Architecture.Depth+2)
		begin = m.Tokens(t, begin, weights, 0, nil)
	}
	feature, logits = p.head(t, m, begin, weights, from, keep)
	return feature, logits, weights
}

// head writes the model from the tokens before a block to the feature and the
// logits.
func (p Plan) head(t *autodiff.Tape, m *vit.Trainable, tokens *autodiff.Value, weights vit.Weights, from int, keep vit.Keep) (feature, logits *autodiff.Value) {
	feature = m.FeatureFrom(t, tokens, weights, from, p.Pool, keep)
	if p.Normalise {
		length := t.Sqrt(t.Add(t.Sum(t.Mul(feature, feature), true, 1), t.Scalar(1e-24)))
		feature = t.Div(feature, length)
	}
	return feature, t.Linear(feature, weights[HeadWeight], weights[HeadBias])
}

// tokensTape writes the tokens before the first trained block.
func (p Plan) tokensTape(m *vit.Trainable) *autodiff.Tape {
	t, from := autodiff.New("tokens"), p.firstBlock(m)
	images := t.Input(inImages, int64(p.Batch), 3, int64(m.Height), int64(m.Width))
	t.Output(outTokens, m.Tokens(t, images, p.inputs(t, m, 0, from+1), from, nil))
	return t
}

// trainingTape writes the loss and the gradients of what is trained.
func (p Plan) trainingTape(m *vit.Trainable) *autodiff.Tape {
	t := autodiff.New("training")
	_, logits, weights := p.forward(t, m, true)
	loss, scale := p.loss(t, logits)
	p.gradients(t, m, loss, scale, weights)
	return t
}

// loss writes the class-weighted cross-entropy of a batch and the factor of
// all gradients.
func (p Plan) loss(t *autodiff.Tape, logits *autodiff.Value) (loss, scale *autodiff.Value) {
	batch := int64(p.Batch)
	labels, samples := t.Input(inLabels, batch), t.Input(inSampleWeights, batch)
	classes, total := t.Input(inClassWeights, 2), t.Input(inTotalWeight, 1)
	liked := t.Reshape(labels, batch, 1)
	said := t.Concat(1, t.Sub(t.Scalar(1), liked), liked)
	weight := t.Mul(t.Mul(said, classes), t.Reshape(samples, batch, 1))
	loss = t.Div(t.Reshape(t.Neg(t.Sum(t.Mul(weight, t.LogSoftmax(logits)), false)), 1), total)
	t.Output(outLoss, loss)
	t.Output(outLogits, logits)
	return loss, t.Input(inLossScale, 1)
}

// gradients writes those of what is trained of the weights, and gives those of
// further values.
func (p Plan) gradients(t *autodiff.Tape, m *vit.Trainable, result, seed *autodiff.Value, weights vit.Weights, further ...*autodiff.Value) []*autodiff.Value {
	var trained []parameter
	values := slices.Clone(further)
	for _, v := range p.parameters(m) {
		if w, there := weights[v.Name]; there && v.trained {
			trained, values = append(trained, v), append(values, w)
		}
	}
	all := t.Gradients(result, seed, values)
	for i, v := range trained {
		t.Output(v.Name+gradientSuffix, all[len(further)+i])
	}
	return all[:len(further)]
}

// evaluationTape writes the feature and the logits.
func (p Plan) evaluationTape(m *vit.Trainable) *autodiff.Tape {
	t := autodiff.New("evaluation")
	feature, logits, _ := p.forward(t, m, false)
	t.Output(outFeature, feature)
	t.Output(outLogits, logits)
	return t
}

// optimizerGraph is one step of AdamW with the gradients clipped together. It
// is a graph of its own: inside the training graph a parameter could be
// written before its last reader has run.
func (p Plan) optimizerGraph(m *vit.Trainable) (*onnxgraph.Model, error) {
	t := autodiff.New("optimizer")
	rate, step, scale := t.Input(inLearningRate, 1), t.Input(inStep, 1), t.Input(inLossScale, 1)
	var trained []parameter
	var gradients []*autodiff.Value
	var squares *autodiff.Value
	for _, v := range p.parameters(m) {
		if !v.trained {
			continue
		}
		g := t.Input(v.Name+gradientSuffix, v.Shape...)
		sum := t.Reshape(t.SumOfSquares(g), 1)
		if trained, gradients = append(trained, v), append(gradients, g); squares == nil {
			squares = sum
		} else {
			squares = t.Add(squares, sum)
		}
	}
	norm := t.Div(t.Sqrt(squares), scale)
	t.Output(outNorm, norm)
	factor := t.Reshape(t.Scalar(1), 1)
	if p.Clip > 0 {
		factor = t.Min(factor, t.Div(t.Reshape(t.Scalar(p.Clip), 1), t.Add(norm, t.Scalar(clipEpsilon))))
	}
	w := newAdamW(t, p, rate, step, t.Div(factor, scale))
	for i, v := range trained {
		w.update(v, gradients[i], v.rate)
	}
	model := t.Model()
	for _, v := range trained {
		for _, suffix := range ofState {
			name := v.Name + suffix
			if err := inPlace(model.Graph, name, name+nextSuffix); err != nil {
				return nil, err
			}
		}
	}
	return model, nil
}

// adamWGraph writes steps of AdamW. What is the same for all numbers of a
// tensor is computed apart: each operator over a tensor is a way through memory.
type adamWGraph struct {
	*autodiff.Tape
	plan Plan
	// All are [1].
	rate       *autodiff.Value
	factor     *autodiff.Value // of the gradients
	root       *autodiff.Value // √ of the second moments' correction
	epsilon    *autodiff.Value // where √ of the moment stands uncorrected
	correction *autodiff.Value // of the rate, for both moments
}

func newAdamW(t *autodiff.Tape, p Plan, rate, step, factor *autodiff.Value) adamWGraph {
	w := adamWGraph{Tape: t, plan: p, rate: rate, factor: t.Scale(factor, 1-beta1)}
	corrected := func(beta float64) *autodiff.Value { return t.Sub(t.Scalar(1), t.Pow(t.Scalar(beta), step)) }
	w.root = t.Sqrt(corrected(beta2))
	w.epsilon, w.correction = t.Scale(w.root, adamEpsilon), t.Div(w.root, corrected(beta1))
	return w
}

// update takes the gradient of a parameter at its share of the rate.
func (t adamWGraph) update(v parameter, g *autodiff.Value, share float64) {
	name := v.Name
	w, own := t.Input(name, v.Shape...), t.Scale(t.rate, share)
	part := t.Mul(g, t.factor) // what the gradient adds to the moment
	moment := t.Add(t.Scale(t.Input(name+momentSuffix, v.Shape...), beta1), part)
	square := t.Add(t.Scale(t.Input(name+squaresSuffix, v.Shape...), beta2), t.Scale(t.Mul(part, part), (1-beta2)/((1-beta1)*(1-beta1))))
	update := t.Div(moment, t.Add(t.Sqrt(square), t.epsilon))
	if v.Decay && t.plan.WeightDecay > 0 {
		w = t.Mul(w, t.Sub(t.Scalar(1), t.Scale(own, t.plan.WeightDecay)))
	}
	t.Output(name+nextSuffix, t.Sub(w, t.Mul(update, t.Mul(own, t.correction))))
	t.Output(name+momentSuffix+nextSuffix, moment)
	t.Output(name+squaresSuffix+nextSuffix, square)
}

// inPlace proves that an output may be written over an input: that every node
// which reads the input comes before the one that gives the output, whatever
// order a runtime runs the graph in, since the output depends on it.
func inPlace(g *onnxgraph.Graph, input, output string) error {
	makes := make(map[string]*onnxgraph.Node)
	for i := range g.Nodes {
		for _, name := range g.Nodes[i].Outputs {
			makes[name] = &g.Nodes[i]
		}
	}
	before := make(map[*onnxgraph.Node]bool)
	waiting := []string{output}
	for len(waiting) > 0 {
		name := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if node := makes[name]; node != nil && !before[node] {
			before[node] = true
			waiting = append(waiting, node.Inputs...)
		}
	}
	for i := range g.Nodes {
		for _, name := range g.Nodes[i].Inputs {
			if name == input && !before[&g.Nodes[i]] {
				return fmt.Errorf("the optimizer's %s reads %s and may run after %s is written", g.Nodes[i].Name, input, output)
			}
		}
	}
	return nil
}
