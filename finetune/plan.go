package finetune

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/vit"
)

// The names of the head's parameters: logits = weight·feature + bias, with the
// dislike first.
const (
	HeadWeight = "head.weight" // [2, features]
	HeadBias   = "head.bias"   // [2]
)

// Plan says what is trained and how one step goes. What is baked into the
// graphs is here; what changes from step to step is an input of theirs.
type Plan struct {
	Pool  vit.Pool `json:"pool"`
	Batch int      `json:"batch"` // pictures in one run of the graph

	// Precision is that of products of matrices; none is Float32.
	Precision Precision `json:"precision,omitempty"`

	// Normalise brings the feature to length 1 before the head, as embeddings
	// are stored: the head can then begin as a probe, at exactly its loss.
	Normalise bool `json:"normalise"`

	// LastBlocks trains the last so many blocks, the norm behind them and the
	// head; what is before them is frozen. 0 trains everything.
	LastBlocks int `json:"last_blocks"`

	// Rank freezes the whole model and trains, beside each linear map of a
	// block, a change of this rank (vit.LowRankUp), and the head. 0 does not.
	Rank int `json:"rank,omitempty"`

	// Tokens lets the graphs begin at the tokens before the first trained
	// block, which never change: they are computed once. For LastBlocks alone.
	Tokens bool `json:"tokens,omitempty"`

	// CheckpointBlocks keeps, of a run, the tokens between blocks alone and
	// computes each block a second time on the way back (Chen et al., Training
	// deep nets with sublinear memory cost, 2016): a third more
	// products, for a fraction of the memory. It changes no result but by rounding.
	CheckpointBlocks bool `json:"checkpoint_blocks,omitempty"`

	// DropPath adds the input drop_path, which leaves out branches of blocks
	// (Huang et al., Deep networks with stochastic depth, 2016).
	DropPath bool `json:"drop_path"`

	WeightDecay float64 `json:"weight_decay"` // of the weights of linear maps
	// LayerDecay multiplies the learning rate once for each layer between a
	// parameter and the head (Clark et al., ELECTRA, 2020). 1 is one rate.
	LayerDecay float64 `json:"layer_decay"`
	// Clip bounds the norm of all gradients together; 0 does not.
	Clip float64 `json:"clip"`
}

// DefaultPlan trains everything with batches of 8.
func DefaultPlan() Plan {
	return Plan{Pool: vit.PoolClass, Batch: 8, Normalise: true, WeightDecay: .05, LayerDecay: .75, Clip: 1}
}

// Validate reports everything that is wrong for a model, as
// palate.ErrInvalid.
func (p Plan) Validate(m *vit.Trainable) error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !slices.Contains([]vit.Pool{vit.PoolClass, vit.PoolMean, vit.PoolBoth}, p.Pool) {
		say("pool %q is none of cls, mean, both", p.Pool)
	}
	if m.Architecture.PooledNorm && p.Pool != vit.PoolMean {
		say("pool %q: the last norm of this model follows the mean, so that only mean can be its feature", p.Pool)
	}
	if p.Batch < 1 || p.Batch > 4096 {
		say("batches of %d pictures, want 1 to 4096", p.Batch)
	}
	if p.LastBlocks < 0 || p.LastBlocks > m.Architecture.Depth {
		say("the last %d blocks of %d, want 0 (all) to %d", p.LastBlocks, m.Architecture.Depth, m.Architecture.Depth)
	}
	if p.Rank < 0 || p.Rank > m.Architecture.Dim {
		say("a change of rank %d of a model that is %d wide, want 0 (none) to %d", p.Rank, m.Architecture.Dim, m.Architecture.Dim)
	}
	if p.Rank > 0 && p.LastBlocks > 0 {
		say("the last %d blocks and a change of rank %d, want one of the two", p.LastBlocks, p.Rank)
	}
	if p.Tokens && p.LastBlocks == 0 {
		say("tokens are kept where the first blocks are frozen alone")
	}
	if !(p.WeightDecay >= 0 && p.WeightDecay < 1) {
		say("weight decay %v, want 0 to below 1", p.WeightDecay)
	}
	if !(p.LayerDecay > 0 && p.LayerDecay <= 1) {
		say("layer decay %v, want above 0, at most 1", p.LayerDecay)
	}
	if !(p.Clip >= 0) || math.IsInf(p.Clip, 0) {
		say("clipping at %v, want 0 (none) or more", p.Clip)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("fine-tuning: %w: %w", palate.ErrInvalid, errors.Join(wrong...))
	}
	return nil
}

// parameter is one tensor of the training: of the model, or of the head.
type parameter struct {
	vit.Parameter
	trained bool
	rate    float64 // factor of the learning rate
}

// firstLayer is the first layer of the model that is trained.
func (p Plan) firstLayer(m *vit.Trainable) int {
	switch depth := m.Architecture.Depth; {
	case p.Rank > 0:
		return depth + 2
	case p.LastBlocks > 0:
		return depth + 1 - p.LastBlocks
	}
	return 0
}

// firstBlock is the block that the graphs begin before; 0 is the pixels.
func (p Plan) firstBlock(m *vit.Trainable) int {
	if !p.Tokens {
		return 0
	}
	return p.firstLayer(m) - 1
}

// firstTrained is the first layer that has anything trained.
func (p Plan) firstTrained(m *vit.Trainable) int {
	if p.Rank > 0 {
		return 1
	}
	return p.firstLayer(m)
}

// lowestBlock is the first block that a gradient goes through.
func (p Plan) lowestBlock(m *vit.Trainable) int { return max(0, p.firstTrained(m)-1) }

// parameters are the model's, the low-rank changes and the head's, in that
// order.
func (p Plan) parameters(m *vit.Trainable) []parameter {
	depth, first := m.Architecture.Depth, p.firstLayer(m)
	rate := func(layer int) float64 { return math.Pow(p.LayerDecay, float64(depth+1-layer)) }
	var out []parameter
	for _, v := range m.Parameters {
		out = append(out, parameter{v, v.Layer >= first, rate(v.Layer)})
	}
	for _, v := range m.Parameters {
		if p.Rank == 0 || !p.changes(m, v) {
			continue
		}
		for _, part := range []vit.Parameter{
			{Name: v.Name + vit.LowRankDown, Shape: []int64{int64(p.Rank), v.Shape[1]}},
			{Name: v.Name + vit.LowRankUp, Shape: []int64{v.Shape[0], int64(p.Rank)}},
		} {
			part.Layer, part.Decay = v.Layer, true
			out = append(out, parameter{part, true, rate(v.Layer)})
		}
	}
	features := int64(m.Architecture.Dim)
	if p.Pool == vit.PoolBoth {
		features *= 2
	}
	return append(out,
		parameter{vit.Parameter{Name: HeadWeight, Shape: []int64{2, features}, Layer: depth + 1, Decay: true}, true, 1},
		parameter{vit.Parameter{Name: HeadBias, Shape: []int64{2}, Layer: depth + 1}, true, 1})
}

// changes reports whether a low-rank change is learned of a parameter: the
// weight of a linear map in a block.
func (p Plan) changes(m *vit.Trainable, v vit.Parameter) bool {
	return v.Decay && len(v.Shape) == 2 && v.Layer >= 1 && v.Layer <= m.Architecture.Depth
}
