package tuning

import (
	"fmt"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/terminal"
)

// leastCrop is the share of a picture's sides that a window shows at least.
const leastCrop = .8

// Vary reads how pictures are varied: mirror and crop, with a comma between
// them, or none. Anything else is palate.ErrInvalid.
func (a *Asked) Vary(text string) error {
	words := strings.Split(text, ",")
	for _, word := range words {
		if known := word == "mirror" || word == "crop" || word == "none" && len(words) == 1; !known {
			return fmt.Errorf("pictures are varied by %q, want mirror, crop, both with a comma between them, or none: %w", text, palate.ErrInvalid)
		}
	}
	mirror, crop := slices.Contains(words, "mirror"), 0.
	if slices.Contains(words, "crop") {
		crop = leastCrop
	}
	a.Mirror, a.Crop = &mirror, &crop
	return nil
}

// Words say what is going to be done and what it costs, a sentence or two each.
func (tr *Training) Words() []string {
	r, cost, word := tr.Recipe, tr.Cost, "Training"
	if tr.Resumed() {
		word = "Going on with the training of"
	}
	words := []string{
		fmt.Sprintf("%s %s (%s) on %d rated pictures at most, %d epochs at most, steps of %d pictures, %d at a time.", word, tr.request.Weights.Name, r.Method,
			tr.Pictures(), r.Config.Epochs, r.Config.BatchSize, r.Plan.Batch),
		fmt.Sprintf("It will take %s at most (%.2f s a step), about %s of memory, and %s of disk in %s.", terminal.About(cost.Total), cost.StepSeconds,
			terminal.Bytes(cost.Memory), terminal.Bytes(cost.Disk), tr.Folder()),
	}
	if cost.Tokens > 0 {
		words = append(words, fmt.Sprintf("What the frozen blocks make of the pictures is kept in %s of memory more.", terminal.Bytes(cost.Tokens)))
	}
	if p := r.Plan.Precision; p != "" && p != finetune.Float32 {
		words = append(words, fmt.Sprintf("Products of matrices are computed in %s, all else in float32 (--precision float32 computes everything so).", p))
	}
	if r.Plan.CheckpointBlocks {
		words = append(words, "Each block is computed twice, in a third to a half more time, which saves most of the memory between them (--no-checkpoint-blocks does not).")
	}
	if cost.Available > 0 && cost.Planned > cost.Available {
		words = append(words, fmt.Sprintf("It takes %s of memory by its shapes, and %s are free: the system may end it without a word. --method last:N or lora:R, a smaller --size or a smaller model takes less.",
			terminal.Bytes(cost.Planned), terminal.Bytes(cost.Available)))
	}
	return words
}

// Flags are those of the command line that name the training.
func (tr *Training) Flags() string {
	return fmt.Sprintf("--model %s --name %s", tr.request.Weights.Name, tr.request.Name)
}

// Words say where a training stands: how an epoch ended, or else the step.
func (s Status) Words() string {
	switch e := s.Ended; {
	case e == nil:
		return fmt.Sprintf("step %d of at most %d: loss %.3f, %.1f pictures a second, %s of memory, %s left at most", s.Step, s.Steps, s.Loss, s.PicturesASecond,
			terminal.Bytes(s.MemoryBytes), terminal.About(s.Left))
	case e.Number == 0:
		return fmt.Sprintf("epoch 0, the probe: held-out loss %.3f, balanced accuracy %.3f", e.HeldLoss, e.BalancedAccuracy)
	default:
		text := fmt.Sprintf("epoch %d of at most %d: loss %.3f, held-out loss %.3f, balanced accuracy %.3f", e.Number, s.Epochs, e.TrainLoss, e.HeldLoss, e.BalancedAccuracy)
		if e.Skipped > 0 {
			text += fmt.Sprintf("; %d steps were left out, as their gradients were not finite (a smaller --lr helps)", e.Skipped)
		}
		return text
	}
}
