package finetune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"github.com/palate-art/palate"
)

// Pictures gives the pixels of pictures as the model takes them, [3, height,
// width]. It is called from one goroutine at a time.
type Pictures interface {
	Pixels(ctx context.Context, i int) ([]float32, error)
}

// Data is what is learned from: pictures by their number, what was said of
// each, and which of them judge.
type Data struct {
	Pictures Pictures
	Liked    []bool
	Train    []int // numbers that are trained on
	Held     []int // numbers that judge each epoch; near-duplicates of trained ones are not among them
	// Weights are how much each picture counts, 1 where it is nil: copies of
	// one work count once together.
	Weights []float64
	// Fingerprint names model, pictures and ratings, so that a checkpoint is
	// gone on with by the same alone.
	Fingerprint string
}

// Epoch is what one epoch gave. Epoch 0 is the beginning: the probe's head on
// the published weights.
type Epoch struct {
	Number           int     `json:"epoch"`
	TrainLoss        float64 `json:"train_loss"` // mean over the steps; 0 at the beginning
	HeldLoss         float64 `json:"held_loss"`  // class-weighted
	BalancedAccuracy float64 `json:"balanced_accuracy"`
	Steps            int     `json:"steps"`
	Skipped          int     `json:"skipped"`
	Seconds          float64 `json:"seconds"`
}

// better reports whether an epoch is kept before another: by balanced
// accuracy, of equals by the loss.
func (e Epoch) better(than Epoch) bool {
	if e.BalancedAccuracy != than.BalancedAccuracy {
		return e.BalancedAccuracy > than.BalancedAccuracy
	}
	return e.HeldLoss < than.HeldLoss
}

// Progress is told after every step and epoch.
type Progress struct {
	Epoch, Epochs   int
	Step, Steps     int // of the whole training
	Loss            float64
	Skipped         int // steps so far whose gradients were not finite
	PicturesASecond float64
	Ended           *Epoch // set when an epoch has just been judged
}

// Fitted is what a training gave: the trainer holds the best state.
type Fitted struct {
	Best    Epoch   `json:"best"`
	Begun   Epoch   `json:"begun"` // before any step: the probe
	History []Epoch `json:"history"`
	Stopped bool    `json:"stopped"` // early
}

// Fit trains until the epochs are over or no epoch has been better for
// Patience of them, and leaves the trainer with the best parameters (and no
// moments), the beginning included: what is not better than the probe is the probe. With a folder it
// goes on from the checkpoint there, if there is one, and writes one after
// every epoch: a training that was stopped at any moment repeats at most one
// epoch, with the same losses. told may be nil.
//
// Data with one class alone on either side is palate.ErrInvalid.
func (t *Trainer) Fit(ctx context.Context, data Data, config Config, folder string, told func(Progress)) (Fitted, error) {
	if err := config.Validate(); err != nil {
		return Fitted{}, err
	}
	likes, dislikes := data.count(data.Train)
	heldLikes, heldDislikes := data.count(data.Held)
	if min(likes, dislikes, heldLikes, heldDislikes) == 0 {
		return Fitted{}, fmt.Errorf("fine-tuning: %d likes and %d dislikes to train on, %d and %d to judge by: each must be there: %w", likes, dislikes, heldLikes, heldDislikes, palate.ErrInvalid)
	}
	if told == nil {
		told = func(Progress) {}
	}
	settings, err := json.Marshal(config)
	if err != nil {
		return Fitted{}, err
	}
	f := &fit{Trainer: t, data: data, config: config, classes: data.Balanced(), folder: folder, told: told,
		begun: data.Fingerprint + " " + string(settings), views: newViews(config)}
	return f.run(ctx)
}

func (d Data) count(numbers []int) (likes, dislikes int) {
	for _, i := range numbers {
		if d.Liked[i] {
			likes++
		} else {
			dislikes++
		}
	}
	return likes, dislikes
}

func (d Data) weight(i int) float64 {
	if d.Weights == nil {
		return 1
	}
	return d.Weights[i]
}

// Balanced gives both classes of what is trained on the same weight in all:
// n/(2·n of the class).
func (d Data) Balanced() ClassWeights {
	var likes, dislikes float64
	for _, i := range d.Train {
		if d.Liked[i] {
			likes += d.weight(i)
		} else {
			dislikes += d.weight(i)
		}
	}
	n := likes + dislikes
	return ClassWeights{Dislike: n / (2 * dislikes), Like: n / (2 * likes)}
}

// fit is one call of Fit.
type fit struct {
	*Trainer
	data    Data
	config  Config
	classes ClassWeights
	folder  string
	begun   string
	told    func(Progress)

	views *views

	history []Epoch
	best    int                  // place in history
	kept    map[string][]float32 // what is trained, in the best state, if there is no folder
	saved   State                // of the best, if there is a folder
	partial Partial              // of the epoch that is under way
	wrote   time.Time            // when the last checkpoint was written
	written int                  // steps of the epoch that were made then
}

func (f *fit) run(ctx context.Context) (Fitted, error) {
	if err := f.resume(ctx); err != nil {
		return Fitted{}, err
	}
	f.wrote = time.Now()
	if len(f.history) == 0 {
		begun, err := f.judge(ctx, Epoch{})
		if err != nil {
			return Fitted{}, err
		}
		f.keep(begun)
		if err := f.checkpoint(0); err != nil {
			return Fitted{}, err
		}
		f.told(Progress{Epochs: f.config.Epochs, Steps: f.steps(), Ended: &begun})
	}
	stopped := f.stops()
	for epoch := len(f.history); epoch <= f.config.Epochs && !stopped; epoch++ {
		ended, err := f.epoch(ctx, epoch)
		if err != nil {
			return Fitted{}, errors.Join(err, f.pause(ctx))
		}
		f.keep(ended)
		if err := f.checkpoint(epoch); err != nil {
			return Fitted{}, err
		}
		stopped = f.stops()
		f.told(Progress{Epoch: epoch, Epochs: f.config.Epochs, Step: epoch * f.stepsAnEpoch(), Steps: f.steps(), Loss: ended.TrainLoss, Ended: &ended})
	}
	if err := f.restore(ctx); err != nil {
		return Fitted{}, err
	}
	return Fitted{Best: f.history[f.best], Begun: f.history[0], History: f.history, Stopped: stopped}, nil
}

// stops reports whether no epoch has been better for long enough.
func (f *fit) stops() bool {
	return f.config.Patience > 0 && len(f.history)-1-f.best >= f.config.Patience
}

// keep notes an epoch and holds its state if it is the best: in memory if no
// checkpoint has it.
func (f *fit) keep(e Epoch) {
	f.history = append(f.history, e)
	if len(f.history) > 1 && !e.better(f.history[f.best]) {
		return
	}
	if f.best = len(f.history) - 1; f.folder != "" {
		return
	}
	if f.kept == nil {
		f.kept = make(map[string][]float32)
	}
	for _, p := range f.parameters {
		if p.trained {
			f.kept[p.Name] = append(f.kept[p.Name][:0], f.state[p.Name].Data...)
		}
	}
}

// restore goes back to the best state.
func (f *fit) restore(ctx context.Context) error {
	if f.best < len(f.history)-1 && f.folder != "" {
		if err := f.read(ctx, filepath.Join(f.folder, f.saved.File), f.saved.SHA256); err != nil {
			return fmt.Errorf("the best state of the training in %s can't be read: %w", f.folder, err)
		}
	}
	for name, data := range f.kept {
		copy(f.state[name].Data, data)
	}
	f.kept = nil
	f.forgetMoments()
	return nil
}

func (f *fit) stepsAnEpoch() int {
	return (len(f.data.Train) + f.config.BatchSize - 1) / f.config.BatchSize
}

func (f *fit) steps() int { return f.config.Epochs * f.stepsAnEpoch() }

// rate grows over the warm-up and falls as a cosine.
func (f *fit) rate(step int) float64 {
	warm := f.config.WarmUp * float64(f.steps())
	if float64(step) < warm {
		return f.config.LearningRate * float64(step+1) / (warm + 1)
	}
	done := (float64(step) - warm) / max(1, float64(f.steps())-warm)
	return f.config.LearningRate * (1 + math.Cos(math.Pi*min(1, done))) / 2
}

// epoch makes one pass over the examples, or the rest of one. What is drawn
// depends on the seed, the epoch and the step alone, so that steps that are
// repeated are the same.
func (f *fit) epoch(ctx context.Context, number int) (Epoch, error) {
	begun := time.Now()
	order := slices.Clone(f.data.Train)
	f.random(number, 0).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	if f.partial.Epoch != number {
		f.partial = Partial{Epoch: number}
	}
	p, seen := &f.partial, 0
	for part := range slices.Chunk(order[min(len(order), p.Steps*f.config.BatchSize):], f.config.BatchSize) {
		random := f.random(number, p.Steps+1)
		pixels, err := f.shown(ctx, part, random)
		if err != nil {
			return Epoch{}, err
		}
		examples := make([]Example, len(part))
		for k, i := range part {
			examples[k] = Example{Pixels: pixels[k], Liked: f.data.Liked[i], Weight: f.data.weight(i)}
		}
		place := (number-1)*f.stepsAnEpoch() + p.Steps
		step, err := f.Step(ctx, examples, f.classes, f.rate(place), f.config.DropPath, random)
		if err != nil {
			return Epoch{}, err
		}
		p.Steps++
		seen += len(part)
		if step.Skipped {
			p.Skipped++
		} else {
			p.Losses += step.Loss
		}
		f.told(Progress{Epoch: number, Epochs: f.config.Epochs, Step: place + 1, Steps: f.steps(), Loss: step.Loss, Skipped: f.skipped,
			PicturesASecond: float64(seen) / time.Since(begun).Seconds()})
		if f.config.SaveEvery > 0 && time.Since(f.wrote) >= f.config.SaveEvery && p.Steps < f.stepsAnEpoch() {
			if err := f.save(); err != nil {
				return Epoch{}, err
			}
		}
	}
	e := Epoch{Number: number, Steps: p.Steps, Skipped: p.Skipped}
	if e.Skipped == e.Steps {
		return e, fmt.Errorf("fine-tuning: in epoch %d no gradient was finite: try a smaller learning rate than %v: %w", number, f.config.LearningRate, palate.ErrInvalid)
	}
	e.TrainLoss = p.Losses / float64(e.Steps-e.Skipped)
	e, err := f.judge(ctx, e)
	e.Seconds = time.Since(begun).Seconds()
	return e, err
}

// random is a source of its own for each step, and at 0 for an epoch's order.
func (f *fit) random(epoch, step int) *rand.Rand {
	return rand.New(rand.NewPCG(f.config.Seed, uint64(epoch)<<32|uint64(step)))
}

// judge scores the held-out pictures.
func (f *fit) judge(ctx context.Context, e Epoch) (Epoch, error) {
	var logits []float64
	for part := range slices.Chunk(f.data.Held, f.plan.Batch) {
		pictures, err := f.seen(ctx, part, make([]view, len(part)))
		if err != nil {
			return e, err
		}
		got, err := f.Logits(ctx, pictures)
		if err != nil {
			return e, err
		}
		logits = append(logits, got...)
	}
	var right, all [2]float64
	var loss, total float64
	for k, i := range f.data.Held {
		class, sign := 0, -1.
		if f.data.Liked[i] {
			class, sign = 1, 1
		}
		if all[class]++; (logits[k] > 0) == f.data.Liked[i] {
			right[class]++
		}
		weight := f.data.weight(i) * f.classes.of(f.data.Liked[i])
		loss += weight * softplus(-sign*logits[k])
		total += weight
	}
	e.BalancedAccuracy, e.HeldLoss = (right[0]/all[0]+right[1]/all[1])/2, loss/total
	return e, nil
}

// softplus is log(1+exp(x)).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
