package tuning

import (
	"context"
	"math"
	"time"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
)

// Cost is what a training will take, measured on one batch.
type Cost struct {
	StepSeconds    float64       `json:"step_seconds"`    // of an optimizer step
	ForwardSeconds float64       `json:"forward_seconds"` // of a picture
	PictureSeconds float64       `json:"picture_seconds"` // of one through the whole model, as it is embedded
	Total          time.Duration `json:"-"`               // at most: all epochs
	Seconds        float64       `json:"seconds"`         // the same
	Memory         int64         `json:"memory_bytes"`    // of this process, after one batch; 0 is not known
	Disk           int64         `json:"disk_bytes"`      // of checkpoints, at most
	Tokens         int64         `json:"token_bytes"`     // that will be kept in memory, at most
	Planned        int64         `json:"planned_bytes"`   // of memory, by the shapes
	Available      int64         `json:"available_bytes"` // of memory, before; 0 is not known
}

// estimate opens the graphs and runs one batch through them.
func (tr *Training) estimate(ctx context.Context) error {
	config := ort.DefaultSessionConfig()
	config.IntraOpThreads = 0 // one run at a time, on all cores
	var err error
	plan := tr.Recipe.Plan
	zero := finetune.Head{Weights: make([]float32, plan.Features(tr.model.Trainable))}
	if tr.trainer, err = finetune.NewTrainer(tr.tuner.Runtime, tr.model.Trainable, plan, zero, config); err != nil {
		return err
	}
	trial, err := tr.trainer.Trial(ctx)
	if err != nil {
		return err
	}
	c := tr.Recipe.Config
	n := float64(len(tr.rated))
	held := n / parts
	steps := math.Ceil((n - held) / float64(c.BatchSize))
	runs := math.Ceil(float64(min(c.BatchSize, len(tr.rated))) / float64(plan.Batch))
	tr.Cost.StepSeconds = runs*trial.Run.Seconds() + trial.Optimize.Seconds()
	tr.Cost.ForwardSeconds = trial.Forward.Seconds() / float64(plan.Batch)
	tr.Cost.PictureSeconds = tr.Cost.ForwardSeconds + trial.Front.Seconds()/float64(plan.Batch)
	total := n * tr.Cost.PictureSeconds // the features
	total += float64(c.Epochs) * (steps*tr.Cost.StepSeconds + held*tr.Cost.ForwardSeconds)
	if plan.Tokens {
		views := 1.
		if c.Mirror {
			views *= 2
		}
		if c.Crop > 0 {
			views *= 3
		}
		tokens := 2.
		for _, d := range tr.model.TokenShape(1) {
			tokens *= float64(d)
		}
		all := (n-held)*views + held
		tr.Cost.Tokens = min(int64(all*tokens), c.CacheBytes)
		total += n * views * trial.Front.Seconds() / float64(plan.Batch)
	}
	tr.Cost.Seconds = total
	tr.Cost.Total = time.Duration(total * float64(time.Second))
	tr.Cost.Memory, _ = usedMemory()
	tr.Cost.Planned = plan.MemoryBytes(tr.model.Trainable)
	tr.Cost.Disk = 3 * tr.trainer.StateBytes() // the newest, the best, and one that is being written
	return nil
}

// memoryShare of what is available is planned with: the rest is for pictures,
// for what a runtime allocates beyond what is live, and for others.
const memoryShare = .6

// fitted says how many pictures of a step go into one run of the graphs, as far
// as there is memory for: nobody reports that a CPU's memory is out before the
// process is killed. Where there is none for a single picture, and nobody said
// otherwise, blocks are computed twice. available 0 is not known.
func (a Asked) fitted(plan finetune.Plan, m *vit.Trainable, step int, available int64) finetune.Plan {
	const largest = 16 // beyond it a CPU gains nothing
	fits := func(p finetune.Plan) bool {
		return available <= 0 || float64(p.MemoryBytes(m)) <= memoryShare*float64(available)
	}
	plan.Batch = 1
	if a.CheckpointBlocks == nil && !fits(plan) {
		plan.CheckpointBlocks = true
	}
	for batch := 2; batch <= min(step, largest); batch *= 2 {
		more := plan
		if more.Batch = batch; !fits(more) {
			break
		}
		plan = more
	}
	return plan
}
