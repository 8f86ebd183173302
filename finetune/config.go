package finetune

import (
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
)

// Config says how a training goes.
type Config struct {
	Epochs       int     `json:"epochs"`
	BatchSize    int     `json:"batch_size"` // pictures a step; more than the plan's batch are accumulated
	LearningRate float64 `json:"learning_rate"`
	WarmUp       float64 `json:"warm_up"` // share of the steps over which the rate grows to LearningRate; then it falls to 0 as a cosine
	// Mirror shows each picture mirrored half of the time. Nothing is cropped:
	// what a painting's edges hold is part of what is judged.
	Mirror bool `json:"mirror"`
	// Crop shows, of each picture, a window of at least this share of its
	// sides; 0 shows all of it.
	Crop     float64 `json:"crop,omitempty"`
	DropPath float64 `json:"drop_path"` // share of branches dropped in the last block, if the plan drops any
	Patience int     `json:"patience"`  // epochs without a better one before it stops; 0 goes to the end
	Seed     uint64  `json:"seed"`

	// CacheBytes bounds what is kept of tokens, where the plan keeps any; what
	// goes beyond is computed again. It changes no result.
	CacheBytes int64 `json:"-"`
	// SaveEvery is how long a training goes on within an epoch before a
	// checkpoint is written; 0 writes one after each epoch alone. It changes no
	// result.
	SaveEvery time.Duration `json:"-"`
}

// DefaultConfig is a recipe for some hundred to some thousand pictures.
func DefaultConfig() Config {
	return Config{Epochs: 15, BatchSize: 16, LearningRate: 2e-5, WarmUp: .1, Mirror: true, DropPath: .1, Patience: 4, Seed: 1,
		CacheBytes: 4 << 30, SaveEvery: 10 * time.Minute}
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
	if c.Crop != 0 && !(c.Crop >= .3 && c.Crop < 1) {
		say("windows of %v of a picture's sides, want .3 to below 1, or 0 for none", c.Crop)
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
