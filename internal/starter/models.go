package starter

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/job"
)

// ChoiceState says whether a model's files are here.
type ChoiceState string

// The states of a model's files.
const (
	Here      ChoiceState = "here"
	NotPulled ChoiceState = "not_pulled"
	Missing   ChoiceState = "missing"
	Changed   ChoiceState = "changed"
	Broken    ChoiceState = "broken"
)

// Choice is a known or added model.
type Choice struct {
	Name                string
	What                string // its kind, in words
	State               ChoiceState
	Problem             string // with its files; empty if none
	Bytes               int64  // of its file; 0 if not known
	Licence, LicenceURL string
	Page                string // on the hub
	Gated               bool   // given only to who has agreed to the licence
	Guessed             []string
	Untrainable         string // why it can't be fine-tuned, in words; empty if nothing is known against it
	Embedded            int    // how many images of the collection it has embedded
	Serves, Coming      bool   // it serves the collection, or is being filled
}

// Choices are the models that a collection can be embedded with.
type Choices struct {
	Models  []Choice
	Upgrade *RulesUpgrade // nil if the collection is read by the present rules
}

// RulesUpgrade is a change of the rules by which pictures are read, in words.
type RulesUpgrade struct{ From, To string }

// Choices gives the models that an embedding may name.
func (s *Starter) Choices(ctx context.Context) (Choices, error) { return s.parts.Steps.Choices(ctx) }

// passing is the work of an embedding that names another model, or upgrades.
func (s *Starter) passing(r Request) (work, error) {
	if r.Model != "" {
		if err := s.parts.Steps.Known(r.Model); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, j *job.Job) (any, error) { return s.parts.Steps.PassAs(ctx, j, r.Model) }, nil
}

// validatePassing reports what does not go together.
func (r Request) validatePassing() (problems []error) {
	switch {
	case r.Model != "" && r.Upgrade:
		problems = append(problems, fmt.Errorf("upgrade goes without a model: another model reads by the present rules anyway: %w", palate.ErrInvalid))
	case (r.Model != "" || r.Upgrade) && r.Retry:
		problems = append(problems, fmt.Errorf("retry goes without model and upgrade: it is of the model that serves: %w", palate.ErrInvalid))
	}
	return problems
}
