package finetune

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
	"github.com/palate-art/palate/internal/operators"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/simd"
	"github.com/palate-art/palate/internal/vit"
)

// Head is where the head begins: logit of a like less that of a dislike =
// Weights·feature + Bias, as a probe's.
type Head struct {
	Weights []float32
	Bias    float64
}

// Trainer holds one training: the parameters with their moments, and the
// sessions that change them. Its methods are not for concurrent use.
type Trainer struct {
	plan       Plan
	model      *vit.Trainable
	parameters []parameter
	state      map[string]ort.Tensor // parameters, and of trained ones .exp_avg and .exp_avg_sq; steps change them in place
	step       int                   // optimizer steps made
	skipped    int                   // steps left out because a gradient was not finite

	threads    int
	kernel     simd.Kernel
	sums, part map[string]ort.Tensor // gradients of a step, and of one of its runs where it has several
	graphs     graphs
	evaluation *ort.Session
	front      *ort.Session // of the tokens before the first trained block, if the plan keeps them
}

// graphs compute what one step needs.
type graphs interface {
	// gradients gives the loss of one run and writes the gradient of every
	// trained parameter into NAME_grad. batch holds the inputs that are no
	// parameters.
	gradients(ctx context.Context, batch, into map[string]ort.Tensor) (loss float64, err error)
	Close() error
}

// NewTrainer writes the graphs and begins at the model's published weights and
// the given head. It must be closed. The weights are the trainer's from then
// on, which changes them where they lie: m has shapes alone, and another
// training opens the model anew. A plan or a head that does not fit, and a
// model without weights, are palate.ErrInvalid.
func NewTrainer(rt *ort.Runtime, m *vit.Trainable, plan Plan, head Head, config ort.SessionConfig) (_ *Trainer, err error) {
	if err := plan.Validate(m); err != nil {
		return nil, err
	}
	t := &Trainer{plan: plan, model: m, parameters: plan.parameters(m), state: make(map[string]ort.Tensor), threads: config.IntraOpThreads, kernel: simd.Best()}
	if t.threads == 0 {
		t.threads = runtime.GOMAXPROCS(0)
	}
	if err := t.begin(); err != nil {
		return nil, err
	}
	if err := t.SetHead(head); err != nil {
		return nil, err
	}
	// One graph runs at a time: what one has taken serves the next.
	opened, err := rt.Together()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened()) }()
	config.Lean, config.Shared, config.OwnOperators = true, true, config.Device.Kind == ort.DeviceCPU && operators.There()
	open := func(tape *autodiff.Tape) (*ort.Session, error) {
		model := tape.Model()
		if config.OwnOperators {
			model = tape.ModelWith(plan.own())
		}
		file, err := model.Marshal()
		var session *ort.Session
		if err == nil {
			session, err = rt.NewSession(file, config)
		}
		if err != nil {
			return nil, fmt.Errorf("fine-tuning: the graph of %s: %w", model.Graph.Name, err)
		}
		return session, nil
	}
	if plan.CheckpointBlocks {
		t.graphs, err = newBlockwise(t, open)
	} else {
		t.graphs, err = newWhole(t, open)
	}
	if err == nil {
		t.evaluation, err = open(plan.evaluationTape(m))
	}
	if err == nil && plan.Tokens {
		t.front, err = open(plan.tokensTape(m))
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// begin takes the model's weights over, with no moments.
func (t *Trainer) begin() error {
	for i, p := range t.parameters {
		if i < len(t.model.Parameters) && p.Data == nil {
			return fmt.Errorf("fine-tuning: the weights of this model are another training's: open the model anew: %w", palate.ErrInvalid)
		}
	}
	for i, p := range t.parameters {
		t.state[p.Name] = ort.Tensor{Shape: p.Shape, Data: p.initial()}
		if p.trained {
			for _, suffix := range []string{momentSuffix, squaresSuffix} {
				t.state[p.Name+suffix] = ort.Tensor{Shape: p.Shape, Data: make([]float32, elements(p.Shape))}
			}
		}
		for _, suffix := range ofState {
			inLargePages(t.state[p.Name+suffix].Data)
		}
		if t.parameters[i].Data = nil; i < len(t.model.Parameters) {
			t.model.Parameters[i].Data = nil
		}
	}
	return nil
}

// forgetMoments begins them anew.
func (t *Trainer) forgetMoments() {
	for _, p := range t.parameters {
		if p.trained {
			clear(t.state[p.Name+momentSuffix].Data)
			clear(t.state[p.Name+squaresSuffix].Data)
		}
	}
}

// initial is what a parameter begins with: as it was published, a change of
// rank r at nothing (up is 0, down is drawn), a head at 0.
func (p parameter) initial() []float32 {
	if p.Data != nil {
		return p.Data
	}
	data := make([]float32, elements(p.Shape))
	if strings.HasSuffix(p.Name, vit.LowRankDown) {
		name := fnv.New64a()
		_, _ = name.Write([]byte(p.Name)) // it never fails
		random, width := rand.New(rand.NewPCG(name.Sum64(), 1)), 1/math.Sqrt(float64(p.Shape[1]))
		for i := range data {
			data[i] = float32((2*random.Float64() - 1) * width)
		}
	}
	return data
}

// SetHead lets the head be that of a probe. One that does not fit is
// palate.ErrInvalid.
func (t *Trainer) SetHead(head Head) error {
	weight, bias := t.state[HeadWeight], t.state[HeadBias]
	features := int(weight.Shape[1])
	if len(head.Weights) != features {
		return fmt.Errorf("fine-tuning: a head of %d weights for features of %d values: %w", len(head.Weights), features, palate.ErrInvalid)
	}
	// The difference of the two logits is the probe's; the dislike's is 0.
	weight.Data = append(make([]float32, features), head.Weights...)
	bias.Data = []float32{0, float32(head.Bias)}
	t.state[HeadWeight], t.state[HeadBias] = weight, bias
	return nil
}

// Close frees the sessions.
func (t *Trainer) Close() error {
	err := closeAll(t.evaluation, t.front)
	if t.graphs != nil {
		err = errors.Join(err, t.graphs.Close())
	}
	return err
}

func closeAll(sessions ...*ort.Session) error {
	var errs []error
	for _, s := range sessions {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// Example is one picture of a step: its pixels as the model takes them, [3,
// height, width], what was said of it, and its weight. Where the plan keeps
// tokens they are in the place of pixels (Trainer.Tokens).
type Example struct {
	Pixels []float32
	Liked  bool
	Weight float64
}

// ClassWeights are the factors of the loss of dislikes and of likes.
type ClassWeights struct {
	Dislike float64 `json:"dislike"`
	Like    float64 `json:"like"`
}

func (c ClassWeights) of(liked bool) float64 {
	if liked {
		return c.Like
	}
	return c.Dislike
}

// Step is what one optimizer step did.
type Step struct {
	Loss    float64 // mean weighted cross-entropy, before the step
	Norm    float64 // of all gradients, before clipping
	Skipped bool    // a gradient was not finite: nothing was changed
}

// Step makes one step of the optimizer on the examples, as many as they are:
// more than the plan's batch are accumulated over several runs, which gives
// what one large batch would. keep draws which branches stay where the plan
// drops paths, with the share that is dropped; nil keeps all.
func (t *Trainer) Step(ctx context.Context, examples []Example, classes ClassWeights, rate, dropped float64, random *rand.Rand) (Step, error) {
	result, err := t.gradients(ctx, examples, classes, dropped, random)
	if err != nil {
		return result, err
	}
	result.Norm = math.NaN()
	if finite(result.Loss) {
		result.Norm = t.norm()
	}
	if !finite(result.Norm) {
		t.skipped++
		result.Skipped = true
		return result, nil
	}
	t.step++
	t.update(t.adamW(result.Norm, rate, t.step))
	return result, nil
}

// gradients adds up those of all examples, in t.sums.
func (t *Trainer) gradients(ctx context.Context, examples []Example, classes ClassWeights, dropped float64, random *rand.Rand) (Step, error) {
	var result Step
	var total float64
	for _, e := range examples {
		total += e.Weight * classes.of(e.Liked)
	}
	if !(total > 0) {
		return result, fmt.Errorf("fine-tuning: a batch without weight: %w", palate.ErrInvalid)
	}
	if t.sums == nil {
		t.sums = t.forGradients()
	}
	if t.part == nil && len(examples) > t.plan.Batch {
		t.part = t.forGradients()
	}
	into := t.sums
	for part := range slices.Chunk(examples, t.plan.Batch) {
		inputs := t.pictures(part, t.plan.Tokens)
		t.label(inputs, part)
		inputs[inClassWeights] = vector(classes.Dislike, classes.Like)
		inputs[inTotalWeight], inputs[inLossScale] = vector(total), vector(1)
		if t.plan.DropPath {
			inputs[inDropPath] = t.masks(dropped, random)
		}
		loss, err := t.graphs.gradients(ctx, inputs, into)
		if err != nil {
			return result, fmt.Errorf("fine-tuning: step %d: %w", t.step+1, err)
		}
		if result.Loss += loss; &part[0] != &examples[0] {
			t.addPart()
		}
		into = t.part
	}
	return result, nil
}

// muchGarbage is what is worth a collection after every step.
const muchGarbage = 64 << 20

// giveBack frees what a step or a block has replaced, which else would wait
// until as much again was taken.
func (t *Trainer) giveBack() {
	if t.StateBytes() > muchGarbage {
		runtime.GC()
	}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// pictures are a run's, filled up to the batch with pictures of no weight:
// their pixels, or the tokens in the place of pixels.
func (t *Trainer) pictures(examples []Example, tokens bool) map[string]ort.Tensor {
	batch := t.plan.Batch
	name, shape := inImages, []int64{int64(batch), 3, int64(t.model.Height), int64(t.model.Width)}
	if tokens {
		name, shape = inTokens, t.model.TokenShape(batch)
	}
	size := int(elements(shape[1:]))
	pixels := make([]float32, batch*size)
	for i, e := range examples {
		copy(pixels[i*size:(i+1)*size], e.Pixels)
	}
	return map[string]ort.Tensor{name: {Shape: shape, Data: pixels}}
}

// label adds what was said of a run's pictures.
func (t *Trainer) label(inputs map[string]ort.Tensor, examples []Example) {
	labels, weights := make([]float32, t.plan.Batch), make([]float32, t.plan.Batch)
	for i, e := range examples {
		if weights[i] = float32(e.Weight); e.Liked {
			labels[i] = 1
		}
	}
	shape := []int64{int64(t.plan.Batch)}
	inputs[inLabels], inputs[inSampleWeights] = ort.Tensor{Shape: shape, Data: labels}, ort.Tensor{Shape: shape, Data: weights}
}

// run runs a graph on inputs and the parameters that it takes; outputs that
// have memory in into, which may be nil, are written there.
func (t *Trainer) run(ctx context.Context, session *ort.Session, inputs, into map[string]ort.Tensor) (map[string]ort.Tensor, error) {
	for _, in := range session.Inputs() {
		if tensor, there := t.state[in.Name]; there {
			inputs[in.Name] = tensor
		}
	}
	return session.RunInto(ctx, inputs, into)
}

// masks draws which branches of which block stay for each picture: the deeper,
// the more are dropped, up to the share.
func (t *Trainer) masks(dropped float64, random *rand.Rand) ort.Tensor {
	depth, batch := t.model.Architecture.Depth, t.plan.Batch
	data := make([]float32, 0, depth*2*batch)
	for block := range depth {
		share := 0.
		if depth > 1 {
			share = dropped * float64(block) / float64(depth-1)
		}
		for range 2 * batch {
			switch {
			case share == 0:
				data = append(data, 1)
			case random.Float64() < share:
				data = append(data, 0)
			default:
				data = append(data, float32(1/(1-share)))
			}
		}
	}
	return ort.Tensor{Shape: []int64{int64(depth), 2, int64(batch)}, Data: data}
}

func vector(values ...float64) ort.Tensor {
	data := make([]float32, len(values))
	for i, v := range values {
		data[i] = float32(v)
	}
	return ort.Tensor{Shape: []int64{int64(len(values))}, Data: data}
}

// Logits gives, for each picture, the logit of a like less that of a dislike.
// Where the plan keeps tokens they are in the place of pixels.
func (t *Trainer) Logits(ctx context.Context, pictures [][]float32) ([]float64, error) {
	var out []float64
	err := t.evaluate(ctx, pictures, func(got map[string]ort.Tensor, n int) {
		logits := got[outLogits].Data
		for i := range n {
			out = append(out, float64(logits[2*i+1])-float64(logits[2*i]))
		}
	})
	return out, err
}

// Features gives each picture's feature, as an embedding is stored where the
// plan normalises.
func (t *Trainer) Features(ctx context.Context, pictures [][]float32) ([]palate.Embedding, error) {
	var out []palate.Embedding
	err := t.evaluate(ctx, pictures, func(got map[string]ort.Tensor, n int) {
		rows := slices.Collect(slices.Chunk(got[outFeature].Data, int(got[outFeature].Shape[1])))
		for _, row := range rows[:n] {
			out = append(out, slices.Clone(row))
		}
	})
	return out, err
}

// evaluate runs pictures batch by batch and hands on what comes of each.
func (t *Trainer) evaluate(ctx context.Context, pictures [][]float32, take func(got map[string]ort.Tensor, n int)) error {
	for part := range slices.Chunk(pictures, t.plan.Batch) {
		got, err := t.run(ctx, t.evaluation, t.pictures(pixelsOnly(part), t.plan.Tokens), nil)
		if err != nil {
			return fmt.Errorf("fine-tuning: evaluation: %w", err)
		}
		take(got, len(part))
	}
	return nil
}

func pixelsOnly(pictures [][]float32) []Example {
	examples := make([]Example, len(pictures))
	for i, pixels := range pictures {
		examples[i].Pixels = pixels
	}
	return examples
}

// Tokens gives each picture's tokens before the first trained block, which a
// plan that keeps tokens trains on.
func (t *Trainer) Tokens(ctx context.Context, pictures [][]float32) ([][]float32, error) {
	var out [][]float32
	for part := range slices.Chunk(pictures, t.plan.Batch) {
		got, err := t.run(ctx, t.front, t.pictures(pixelsOnly(part), false), nil)
		if err != nil {
			return nil, fmt.Errorf("fine-tuning: frozen blocks: %w", err)
		}
		rows := slices.Collect(slices.Chunk(got[outTokens].Data, int(elements(got[outTokens].Shape[1:]))))
		out = append(out, rows[:len(part)]...)
	}
	return out, nil
}

// Head is the head as it stands.
func (t *Trainer) Head() Head {
	w, b := t.state[HeadWeight].Data, t.state[HeadBias].Data
	features := len(w) / 2
	head := Head{Weights: make([]float32, features), Bias: float64(b[1]) - float64(b[0])}
	for i := range head.Weights {
		head.Weights[i] = w[features+i] - w[i]
	}
	return head
}
