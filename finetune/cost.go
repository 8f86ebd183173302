package finetune

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/vit"
)

// Features is the length of the feature that the head takes.
func (p Plan) Features(m *vit.Trainable) int {
	if p.Pool == vit.PoolBoth {
		return 2 * m.Architecture.Dim
	}
	return m.Architecture.Dim
}

// LiveBytes is what one run of the training graph needs at once beside its
// inputs and the gradients of parameters, at the least: what is computed, from
// where it is made to where it is last read. A runtime takes more. Where blocks
// are computed twice it is the tokens between blocks and what the largest of the
// graphs needs.
func (p Plan) LiveBytes(m *vit.Trainable) int64 {
	kept, most := p.live(m)
	return kept + most
}

// live is what is kept from one graph to the next, and what the largest of the
// graphs needs.
func (p Plan) live(m *vit.Trainable) (kept, most int64) {
	if !p.CheckpointBlocks {
		return 0, p.trainingTape(m).LiveBytes(p.own())
	}
	blocks := m.Architecture.Depth - p.lowestBlock(m)
	kept = int64(blocks+2) * 4 * elements(m.TokenShape(p.Batch)) // before each block, and the gradients behind and before one
	most = max(p.blockGradientsTape(m).LiveBytes(p.own()), p.headTape(m).LiveBytes(p.own()))
	if p.firstTrained(m) == 0 {
		most = max(most, p.frontGradientsTape(m).LiveBytes(p.own()))
	}
	return kept, most
}

// runtimeShare is how much of what is live at the least a runtime takes: 1.0 to
// 1.1 were measured, and 1.4 of the largest scores in float32 (bench/finetune).
const runtimeShare = 1.4

// programBytes is what the program, ONNX Runtime and what products are packed into
// take by themselves.
const programBytes = 256 << 20

// MemoryBytes is what a training takes by its shapes: the weights, of what is
// trained the moments and the gradients of a step, and what one run computes.
// A best state that no checkpoint holds, and the gradients of a run where a
// step has several, come to that.
func (p Plan) MemoryBytes(m *vit.Trainable) int64 {
	var all, trained int64
	for _, v := range p.parameters(m) {
		n := elements(v.Shape)
		if all += n; v.trained {
			trained += n
		}
	}
	kept, most := p.live(m)
	pictures := int64(p.Batch) * 3 * int64(m.Height) * int64(m.Width)
	return programBytes + 4*(all+3*trained+pictures) + kept + int64(runtimeShare*float64(most))
}

// Trial is what one run of each graph took.
type Trial struct {
	Run      time.Duration // of the training graph, on a batch
	Optimize time.Duration // of the optimizer
	Forward  time.Duration // of the evaluation graph, on a batch, and of the frozen blocks before it
	Front    time.Duration // of the frozen blocks alone, where tokens are kept
}

// enoughTrial is how long a first run is that is believed: a shorter one is
// repeated, as most of it may be preparation.
const enoughTrial = 2 * time.Second

// Trial runs every graph on a batch of pictures without colour, and the
// optimizer, and changes nothing. After the first step it is
// palate.ErrInvalid.
func (t *Trainer) Trial(ctx context.Context) (Trial, error) {
	var trial Trial
	if t.step > 0 {
		return trial, fmt.Errorf("fine-tuning: a trial after %d steps: %w", t.step, palate.ErrInvalid)
	}
	timed := func(into *time.Duration, work func() error) error {
		for range 2 {
			begun := time.Now()
			if err := work(); err != nil {
				return err
			}
			if *into = time.Since(begun); *into >= enoughTrial {
				break
			}
		}
		return nil
	}
	examples := make([]Example, t.plan.Batch)
	for i := range examples {
		examples[i] = Example{Liked: i%2 == 0, Weight: 1}
	}
	blank := make([][]float32, len(examples))
	err := timed(&trial.Forward, func() error { _, err := t.Logits(ctx, blank); return err })
	if err == nil && t.plan.Tokens {
		err = timed(&trial.Front, func() error { _, err := t.Tokens(ctx, blank); return err })
		trial.Forward += trial.Front
	}
	if err == nil {
		err = timed(&trial.Run, func() error {
			_, err := t.gradients(ctx, examples, ClassWeights{1, 1}, 0, rand.New(rand.NewPCG(1, 1)))
			return err
		})
	}
	if err == nil {
		err = timed(&trial.Optimize, func() error { return t.tryUpdate() })
		t.forgetMoments()
	}
	return trial, err
}

// tryUpdate makes a step at a rate of 0, which changes the moments alone.
func (t *Trainer) tryUpdate() error {
	norm := t.norm()
	if !finite(norm) {
		return fmt.Errorf("fine-tuning: the gradients of pictures without colour are not finite: %w", palate.ErrInvalid)
	}
	t.update(t.adamW(norm, 0, 1))
	return nil
}

// StateBytes is what one checkpoint's state takes on disk.
func (t *Trainer) StateBytes() int64 {
	var n int64
	for _, tensor := range t.state {
		n += 4 * int64(len(tensor.Data))
	}
	return n
}

// FeatureLength is the length of the features.
func (t *Trainer) FeatureLength() int { return t.plan.Features(t.model) }
