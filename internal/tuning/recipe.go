package tuning

import (
	"errors"
	"fmt"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/vit"
)

// Recipe says how a model is trained.
type Recipe struct {
	Method Method          `json:"method"`
	Plan   finetune.Plan   `json:"plan"`
	Config finetune.Config `json:"config"`
}

// Asked is what somebody asked for; nil is left open, and goes by the method
// or, where a training goes on, by how it was begun.
type Asked struct {
	Method       *Method
	Epochs       *int
	Batch        *int // pictures a step
	LearningRate *float64
	LayerDecay   *float64
	WeightDecay  *float64
	DropPath     *float64
	WarmUp       *float64
	Clip         *float64
	Patience     *int
	Seed         *uint64
	Mirror       *bool
	Crop         *float64
	// CheckpointBlocks computes blocks twice, to save memory.
	CheckpointBlocks *bool
	// Precision is that of products of matrices. None is what the training was
	// begun with if that is to be had here, else the fastest that is right.
	Precision *finetune.Precision
	// KeepTokens, if false, trains on pixels where the first blocks are frozen.
	KeepTokens *bool
}

// setting is one thing that can be asked for: its flag, what it is in a recipe, and
// whether that is what was asked.
type setting struct {
	name string
	set  func(*Recipe)
	same func(Recipe) bool
	says func(Recipe) string
}

func settingOf[T comparable](name string, asked *T, in func(*Recipe) *T) *setting {
	if asked == nil {
		return nil
	}
	return &setting{name,
		func(r *Recipe) { *in(r) = *asked },
		func(r Recipe) bool { return *in(&r) == *asked },
		func(r Recipe) string { return fmt.Sprintf("%v instead of %v", *asked, *in(&r)) }}
}

// field is what the API calls it.
func (s *setting) field() string {
	if s.name == "--lr" {
		return "learning_rate"
	}
	return strings.ReplaceAll(strings.TrimPrefix(s.name, "--"), "-", "_")
}

func (a Asked) settings() []*setting {
	all := []*setting{
		settingOf("--epochs", a.Epochs, func(r *Recipe) *int { return &r.Config.Epochs }),
		settingOf("--batch", a.Batch, func(r *Recipe) *int { return &r.Config.BatchSize }),
		settingOf("--lr", a.LearningRate, func(r *Recipe) *float64 { return &r.Config.LearningRate }),
		settingOf("--layer-decay", a.LayerDecay, func(r *Recipe) *float64 { return &r.Plan.LayerDecay }),
		settingOf("--weight-decay", a.WeightDecay, func(r *Recipe) *float64 { return &r.Plan.WeightDecay }),
		settingOf("--drop-path", a.DropPath, func(r *Recipe) *float64 { return &r.Config.DropPath }),
		settingOf("--warm-up", a.WarmUp, func(r *Recipe) *float64 { return &r.Config.WarmUp }),
		settingOf("--clip", a.Clip, func(r *Recipe) *float64 { return &r.Plan.Clip }),
		settingOf("--patience", a.Patience, func(r *Recipe) *int { return &r.Config.Patience }),
		settingOf("--seed", a.Seed, func(r *Recipe) *uint64 { return &r.Config.Seed }),
		settingOf("--augment mirror", a.Mirror, func(r *Recipe) *bool { return &r.Config.Mirror }),
		settingOf("--augment crop", a.Crop, func(r *Recipe) *float64 { return &r.Config.Crop }),
		settingOf("--checkpoint-blocks", a.CheckpointBlocks, func(r *Recipe) *bool { return &r.Plan.CheckpointBlocks }),
		settingOf("--token-cache", a.KeepTokens, func(r *Recipe) *bool { return &r.Plan.Tokens }),
	}
	var out []*setting
	for _, s := range all {
		if s != nil {
			out = append(out, s)
		}
	}
	return out
}

// Recipe is what was asked for with what is open filled in.
func (a Asked) Recipe() Recipe {
	r := Recipe{Method: Method{Kind: Full}}
	if a.Method != nil {
		r.Method = *a.Method
	}
	r.Plan, r.Config = r.Method.recipe()
	for _, s := range a.settings() {
		s.set(&r)
	}
	r.Plan.Precision = a.precision(finetune.BestPrecision())
	r.Plan.Tokens = r.Plan.Tokens && r.Plan.LastBlocks > 0
	r.Plan.DropPath = r.Config.DropPath > 0
	return r
}

// precision is what was asked for, or another one if that is to be had here. It
// is no setting that a training must keep: a machine that has it not goes on in
// another, and the results differ by rounding.
func (a Asked) precision(usual finetune.Precision) finetune.Precision {
	switch {
	case a.Precision != nil:
		return *a.Precision
	case usual.Available() == nil:
		return usual
	}
	return finetune.BestPrecision()
}

// agrees reports, as palate.ErrConflict, what was asked for otherwise than a
// training was begun.
func (r Request) agrees(begun Recipe) error {
	var other []string
	a := r.Asked
	if a.Method != nil && *a.Method != begun.Method {
		other = append(other, r.says("--method", "method")+fmt.Sprintf(" is %v instead of %v", *a.Method, begun.Method))
	}
	for _, s := range a.settings() {
		if !s.same(begun) {
			other = append(other, r.says(s.name, s.field())+" is "+s.says(begun))
		}
	}
	if len(other) > 0 {
		return fmt.Errorf("the training was begun with other settings: %s; leave these out to go on with it, or train under another %s: %w", strings.Join(other, ", "), r.says("--name", "name"), palate.ErrConflict)
	}
	return nil
}

// validate reports what no training can be made of, as palate.ErrInvalid.
func (r Recipe) validate(m *vit.Trainable) error {
	return errors.Join(r.Plan.Validate(m), r.Config.Validate(), r.Plan.Precision.Available())
}
