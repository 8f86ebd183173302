package finetune

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
)

// What the graphs of single layers have beside the names of graphs.go.
const (
	outFollowing      = "following"      // [batch, tokens, dim], the tokens behind
	inFollowing       = "following_grad" // [batch, tokens, dim], their gradient
	outTokensGradient = "tokens_grad"    // [batch, tokens, dim], of the tokens before
)

// blockwise goes through the model block by block, forward and then back, and
// keeps the tokens between blocks alone: on the way back each block is computed
// once more. One graph serves all blocks, under the names of the last one's
// parameters.
type blockwise struct {
	*Trainer
	layers [][]parameter // of patches and tokens, of each block, of the last norm and the head

	front, frontGradients *ort.Session // of patches and tokens; nil where they are not needed
	block, blockGradients *ort.Session
	head                  *ort.Session
}

func newBlockwise(t *Trainer, open func(*autodiff.Tape) (*ort.Session, error)) (graphs, error) {
	b := &blockwise{Trainer: t, layers: make([][]parameter, t.model.Architecture.Depth+2)}
	for _, p := range t.parameters {
		b.layers[p.Layer] = append(b.layers[p.Layer], p)
	}
	if err := b.alike(); err != nil {
		return nil, err
	}
	m, p := t.model, t.plan
	wanted := []struct {
		into   **ort.Session
		write  func(*vit.Trainable) *autodiff.Tape
		needed bool
	}{
		{&b.front, p.frontTape, !p.Tokens},
		{&b.frontGradients, p.frontGradientsTape, p.firstTrained(m) == 0},
		{&b.block, p.blockTape, true},
		{&b.blockGradients, p.blockGradientsTape, true},
		{&b.head, p.headTape, true},
	}
	for _, w := range wanted {
		if !w.needed {
			continue
		}
		var err error
		if *w.into, err = open(w.write(m)); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	return b, nil
}

// alike refuses a model whose blocks are not of the same tensors.
func (b *blockwise) alike() error {
	last := b.layers[b.model.Architecture.Depth]
	for n, layer := range b.layers[1 : len(b.layers)-1] {
		if !slices.EqualFunc(layer, last, func(x, y parameter) bool { return slices.Equal(x.Shape, y.Shape) }) {
			return fmt.Errorf("fine-tuning: blocks 0 to %d are not all of the same tensors (the %d-th differs): they can't be computed twice, train without checkpointed blocks: %w", len(b.layers)-3, n, palate.ErrInvalid)
		}
	}
	return nil
}

// stands is the layer whose graph serves a layer: the last block for all.
func (b *blockwise) stands(layer int) int {
	if depth := b.model.Architecture.Depth; layer > 0 && layer <= depth {
		return depth
	}
	return layer
}

func (b *blockwise) Close() error {
	return closeAll(b.front, b.frontGradients, b.block, b.blockGradients, b.head)
}

// ofLayer runs a graph with what a layer has in state, and the memory that it
// has in gradients, under the names of the layer that it was written for.
func (b *blockwise) ofLayer(ctx context.Context, session *ort.Session, layer int, inputs, gradients map[string]ort.Tensor) (map[string]ort.Tensor, error) {
	own, into := b.layers[layer], make(map[string]ort.Tensor)
	inputNames, outputNames := namesOf(session.Inputs()), namesOf(session.Outputs())
	for i, p := range b.layers[b.stands(layer)] {
		if inputNames[p.Name] {
			inputs[p.Name] = b.state[own[i].Name]
		}
		if outputNames[p.Name+gradientSuffix] {
			into[p.Name+gradientSuffix] = gradients[own[i].Name+gradientSuffix]
		}
	}
	defer b.giveBack()
	return session.RunInto(ctx, inputs, into)
}

func namesOf(infos []ort.IOInfo) map[string]bool {
	names := make(map[string]bool, len(infos))
	for _, info := range infos {
		names[info.Name] = true
	}
	return names
}

func (b *blockwise) gradients(ctx context.Context, batch, into map[string]ort.Tensor) (loss float64, err error) {
	m, p := b.model, b.plan
	depth, from, lowest := m.Architecture.Depth, p.firstBlock(m), p.lowestBlock(m)
	run := func(session *ort.Session, layer int, inputs map[string]ort.Tensor) map[string]ort.Tensor {
		if err != nil {
			return nil
		}
		var out map[string]ort.Tensor
		out, err = b.ofLayer(ctx, session, layer, inputs, into)
		return out
	}
	ofBlock := func(n int, inputs map[string]ort.Tensor) map[string]ort.Tensor {
		if p.DropPath {
			inputs[inDropPath] = blockMasks(batch[inDropPath], n)
		}
		return inputs
	}
	tokens := batch[inTokens]
	if !p.Tokens {
		tokens = run(b.front, 0, map[string]ort.Tensor{inImages: batch[inImages]})[outTokens]
	}
	before := make([]ort.Tensor, depth) // the tokens before each block that a gradient goes through
	for n := from; n < depth; n++ {
		if n >= lowest {
			before[n] = tokens
		}
		tokens = run(b.block, n+1, ofBlock(n, map[string]ort.Tensor{inTokens: tokens}))[outFollowing]
	}
	inputs := map[string]ort.Tensor{inTokens: tokens}
	for _, name := range []string{inLabels, inSampleWeights, inClassWeights, inTotalWeight, inLossScale} {
		inputs[name] = batch[name]
	}
	out := run(b.head, depth+1, inputs)
	if err == nil {
		loss = float64(out[outLoss].Data[0])
	}
	for n := depth - 1; n >= lowest; n-- {
		out = run(b.blockGradients, n+1, ofBlock(n, map[string]ort.Tensor{inTokens: before[n], inFollowing: out[outTokensGradient]}))
		before[n] = ort.Tensor{}
	}
	if p.firstTrained(m) == 0 {
		run(b.frontGradients, 0, map[string]ort.Tensor{inImages: batch[inImages], inFollowing: out[outTokensGradient]})
	}
	return loss, err
}

// blockMasks are those of one block, [2, batch].
func blockMasks(all ort.Tensor, block int) ort.Tensor {
	size := int(all.Shape[1] * all.Shape[2])
	return ort.Tensor{Shape: all.Shape[1:], Data: all.Data[block*size : (block+1)*size]}
}

// frontTape writes the tokens before the first block.
func (p Plan) frontTape(m *vit.Trainable) *autodiff.Tape {
	t := autodiff.New("patches")
	tokens, _ := p.front(t, m)
	t.Output(outTokens, tokens)
	return t
}

// frontGradientsTape writes the gradients of what makes the tokens.
func (p Plan) frontGradientsTape(m *vit.Trainable) *autodiff.Tape {
	t := autodiff.New("gradients of patches")
	tokens, weights := p.front(t, m)
	p.gradients(t, m, tokens, t.Input(inFollowing, tokens.Shape()...), weights)
	return t
}

func (p Plan) front(t *autodiff.Tape, m *vit.Trainable) (*autodiff.Value, vit.Weights) {
	weights := p.inputs(t, m, 0, 1)
	return m.Tokens(t, t.Input(inImages, int64(p.Batch), 3, int64(m.Height), int64(m.Width)), weights, 0, nil), weights
}

// blockTape writes the last block, in whose place any can be.
func (p Plan) blockTape(m *vit.Trainable) *autodiff.Tape {
	t := autodiff.New("block")
	_, following, _ := p.lastBlock(t, m)
	t.Output(outFollowing, following)
	return t
}

// blockGradientsTape writes the gradients of a block's parameters and tokens.
func (p Plan) blockGradientsTape(m *vit.Trainable) *autodiff.Tape {
	t := autodiff.New("gradients of a block")
	tokens, following, weights := p.lastBlock(t, m)
	of := p.gradients(t, m, following, t.Input(inFollowing, following.Shape()...), weights, tokens)
	t.Output(outTokensGradient, of[0])
	return t
}

func (p Plan) lastBlock(t *autodiff.Tape, m *vit.Trainable) (tokens, following *autodiff.Value, weights vit.Weights) {
	depth := m.Architecture.Depth
	tokens, weights = t.Input(inTokens, m.TokenShape(p.Batch)...), p.inputs(t, m, depth, depth+1)
	var keep vit.Keep
	if p.DropPath {
		batch := int64(p.Batch)
		masks := t.Input(inDropPath, 2, batch)
		keep = func(_, branch int) *autodiff.Value {
			return t.Reshape(t.Slice(masks, 0, int64(branch), int64(branch)+1), batch, 1, 1)
		}
	}
	return tokens, m.Block(t, depth-1, tokens, weights, keep), weights
}

// headTape writes what is behind the last block: the loss and its gradients.
func (p Plan) headTape(m *vit.Trainable) *autodiff.Tape {
	t, depth := autodiff.New("head"), m.Architecture.Depth
	tokens, weights := t.Input(inTokens, m.TokenShape(p.Batch)...), p.inputs(t, m, depth+1, depth+2)
	_, logits := p.head(t, m, tokens, weights, depth, nil)
	loss, scale := p.loss(t, logits)
	t.Output(outTokensGradient, p.gradients(t, m, loss, scale, weights, tokens)[0])
	return t
}
