package finetune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
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
	// Fingerprint names model, pictures and ratings, so that a checkpoint is
	// gone on with by the same alone.
	Fingerprint string
}

// Config says how a training goes.
type Config struct {
	Epochs       int     `json:"epochs"`
	BatchSize    int     `json:"batch_size"` // pictures a step; more than the plan's batch are accumulated
	LearningRate float64 `json:"learning_rate"`
	WarmUp       float64 `json:"warm_up"` // share of the steps over which the rate grows to LearningRate; then it falls to 0 as a cosine
	// Mirror shows each picture mirrored half of the time. Nothing is cropped:
	// what a painting's edges hold is part of what is judged.
	Mirror   bool    `json:"mirror"`
	DropPath float64 `json:"drop_path"` // share of branches dropped in the last block, if the plan drops any
	Patience int     `json:"patience"`  // epochs without a better one before it stops; 0 goes to the end
	Seed     uint64  `json:"seed"`
}

// DefaultConfig is a recipe for some hundred to some thousand pictures.
func DefaultConfig() Config {
	return Config{Epochs: 15, BatchSize: 16, LearningRate: 2e-5, WarmUp: .1, Mirror: true, DropPath: .1, Patience: 4, Seed: 1}
}

// Validate reports everything that is wrong, as palate.ErrInvalid.
func (c Config) Validate() error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if c.Epochs < 1 || c.Epochs > 10_000 {
		say("%d epochs, want 1 to 10,000", c.Epochs)
	}
	if c.BatchSize < 1 {
		say("%d pictures a step, want 1 or more", c.BatchSize)
	}
	if !(c.LearningRate > 0 && c.LearningRate < 1) {
		say("learning rate %v, want above 0, below 1", c.LearningRate)
	}
	if !(c.WarmUp >= 0 && c.WarmUp < 1) {
		say("warm-up of %v of the steps, want 0 to below 1", c.WarmUp)
	}
	if !(c.DropPath >= 0 && c.DropPath < 1) {
		say("drop path %v, want 0 to below 1", c.DropPath)
	}
	if c.Patience < 0 {
		say("patience of %d epochs, want 0 or more", c.Patience)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("fine-tuning: %w: %w", palate.ErrInvalid, errors.Join(wrong...))
	}
	return nil
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
// Patience of them, and leaves the trainer in the best state, the beginning
// included: what is not better than the probe is the probe. With a folder it
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
	f := &fit{Trainer: t, data: data, config: config, classes: Balanced(likes, dislikes), folder: folder, told: told,
		begun: fmt.Sprintf("%s %+v", data.Fingerprint, config)}
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

// fit is one call of Fit.
type fit struct {
	*Trainer
	data    Data
	config  Config
	classes ClassWeights
	folder  string
	begun   string
	told    func(Progress)

	history []Epoch
	best    int                   // place in history
	kept    map[string]ort.Tensor // the best state
	saved   State                 // of the best, if there is a folder
}

func (f *fit) run(ctx context.Context) (Fitted, error) {
	if err := f.resume(ctx); err != nil {
		return Fitted{}, err
	}
	if len(f.history) == 0 {
		begun, err := f.judge(ctx, Epoch{})
		if err != nil {
			return Fitted{}, err
		}
		f.keep(begun)
		if err := f.checkpoint(0); err != nil {
			return Fitted{}, err
		}
	}
	stopped := f.stops()
	for epoch := len(f.history); epoch <= f.config.Epochs && !stopped; epoch++ {
		ended, err := f.epoch(ctx, epoch)
		if err != nil {
			return Fitted{}, err
		}
		f.keep(ended)
		if err := f.checkpoint(epoch); err != nil {
			return Fitted{}, err
		}
		stopped = f.stops()
		f.told(Progress{Epoch: epoch, Epochs: f.config.Epochs, Step: f.step, Steps: f.steps(), Loss: ended.TrainLoss, Ended: &ended})
	}
	f.state = f.kept
	return Fitted{Best: f.history[f.best], Begun: f.history[0], History: f.history, Stopped: stopped}, nil
}

// stops reports whether no epoch has been better for long enough.
func (f *fit) stops() bool {
	return f.config.Patience > 0 && len(f.history)-1-f.best >= f.config.Patience
}

// keep notes an epoch and holds its state if it is the best.
func (f *fit) keep(e Epoch) {
	f.history = append(f.history, e)
	if len(f.history) == 1 || e.better(f.history[f.best]) {
		f.best = len(f.history) - 1
		f.kept = make(map[string]ort.Tensor, len(f.state))
		for name, tensor := range f.state { // steps replace tensors and change none
			f.kept[name] = tensor
		}
	}
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

// epoch makes one pass over the examples. What is drawn depends on the seed
// and the epoch alone, so that an epoch that is repeated is the same.
func (f *fit) epoch(ctx context.Context, number int) (Epoch, error) {
	begun := time.Now()
	random := rand.New(rand.NewPCG(f.config.Seed, uint64(number)))
	order := slices.Clone(f.data.Train)
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	e := Epoch{Number: number}
	var losses float64
	seen, skipped := 0, f.skipped
	for part := range slices.Chunk(order, f.config.BatchSize) {
		examples := make([]Example, len(part))
		for k, i := range part {
			pixels, err := f.data.Pictures.Pixels(ctx, i)
			if err != nil {
				return e, err
			}
			if f.config.Mirror && random.IntN(2) == 1 {
				pixels = mirrored(pixels, f.model.Width)
			}
			examples[k] = Example{Pixels: pixels, Liked: f.data.Liked[i], Weight: 1}
		}
		place := (number-1)*f.stepsAnEpoch() + e.Steps
		step, err := f.Step(ctx, examples, f.classes, f.rate(place), f.config.DropPath, random)
		if err != nil {
			return e, err
		}
		e.Steps++
		seen += len(part)
		if !step.Skipped {
			losses += step.Loss
		}
		f.told(Progress{Epoch: number, Epochs: f.config.Epochs, Step: place + 1, Steps: f.steps(), Loss: step.Loss,
			PicturesASecond: float64(seen) / time.Since(begun).Seconds()})
	}
	e.Skipped = f.skipped - skipped
	if e.Skipped == e.Steps {
		return e, fmt.Errorf("fine-tuning: in epoch %d no gradient was finite: try a smaller learning rate than %v: %w", number, f.config.LearningRate, palate.ErrInvalid)
	}
	e.TrainLoss = losses / float64(e.Steps-e.Skipped)
	e, err := f.judge(ctx, e)
	e.Seconds = time.Since(begun).Seconds()
	return e, err
}

// mirrored exchanges left and right of [3, height, width].
func mirrored(pixels []float32, width int) []float32 {
	out := slices.Clone(pixels)
	for row := range slices.Chunk(out, width) {
		slices.Reverse(row)
	}
	return out
}

// judge scores the held-out pictures.
func (f *fit) judge(ctx context.Context, e Epoch) (Epoch, error) {
	var logits []float64
	for part := range slices.Chunk(f.data.Held, f.plan.Batch) {
		pictures := make([][]float32, len(part))
		for k, i := range part {
			var err error
			if pictures[k], err = f.data.Pictures.Pixels(ctx, i); err != nil {
				return e, err
			}
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
		weight := f.classes.of(f.data.Liked[i])
		loss += weight * softplus(-sign*logits[k])
		total += weight
	}
	e.BalancedAccuracy, e.HeldLoss = (right[0]/all[0]+right[1]/all[1])/2, loss/total
	return e, nil
}

// softplus is log(1+exp(x)).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// checkpoint writes where the training stands after an epoch, and forgets
// states that are neither the newest nor the best.
func (f *fit) checkpoint(epoch int) error {
	if f.folder == "" {
		return nil
	}
	state, err := f.saveState(f.folder, stateFile(epoch), epoch)
	if err != nil {
		return err
	}
	if f.best == epoch {
		f.saved = state
	}
	if err := f.save(f.folder, Checkpoint{Begun: f.begun, State: state, Best: f.saved, History: f.history}); err != nil {
		return err
	}
	for before := range epoch {
		if before != f.best {
			if err := os.Remove(filepath.Join(f.folder, stateFile(before))); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func stateFile(epoch int) string { return fmt.Sprintf("epoch-%d.safetensors", epoch) }

// resume goes on from the checkpoint, if there is one.
func (f *fit) resume(ctx context.Context) error {
	if f.folder == "" {
		return nil
	}
	c, err := f.load(ctx, f.folder, f.begun)
	if errors.Is(err, palate.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(c.History) == 0 || c.Best.Epoch >= len(c.History) || c.Best.Epoch < 0 {
		return fmt.Errorf("the checkpoint in %s is damaged: begin anew in another folder: %w", f.folder, palate.ErrInvalid)
	}
	f.history, f.best, f.saved = c.History, c.Best.Epoch, c.Best
	latest := f.state
	if err := f.read(ctx, filepath.Join(f.folder, c.Best.File), c.Best.SHA256); err != nil {
		return fmt.Errorf("the checkpoint in %s is damaged: begin anew in another folder: %w", f.folder, err)
	}
	f.kept, f.state = f.state, latest
	return nil
}
