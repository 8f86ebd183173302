package models

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
)

// keptFormat is the version in which Kept is written today.
const keptFormat = 1

// Kept is what a catalog keeps of a model beside its embeddings: how pictures
// came to it, and which settings made it, so that the same function can be loaded
// again. Palates before the format had a version wrote it without one; that is
// read as version 0.
type Kept struct {
	Description embedder.Description
	Settings    Settings
	// FineTuned is of a model that was fine-tuned: it serves a collection after
	// it has taken over.
	FineTuned bool
}

// keptJSON is Kept as it is written.
type keptJSON struct {
	Format int `json:"format"`
	embedder.Description
	Settings  Settings `json:"settings"`
	FineTuned bool     `json:"fine_tuned,omitempty"`
}

// JSON is what the catalog keeps.
func (k Kept) JSON() (json.RawMessage, error) {
	return json.Marshal(keptJSON{keptFormat, k.Description, k.Settings, k.FineTuned})
}

// ParseKept reads what a catalog keeps of the model of that name. What older
// palates did not say is filled in as it was then; where no settings were kept,
// those that come back name no model. What a newer palate wrote is
// palate.ErrConflict, what can't be read palate.ErrInvalid, with what is known all
// the same.
func ParseKept(name string, kept json.RawMessage) (k Kept, err error) {
	defer k.Settings.fillOlder(name)
	if len(kept) == 0 {
		return k, nil
	}
	var parts struct {
		Format    int
		Settings  json.RawMessage
		FineTuned bool `json:"fine_tuned"`
	}
	if err := json.Unmarshal(kept, &parts); err != nil {
		return k, fmt.Errorf("what the catalog keeps of model %s can't be read: %w: %w", name, palate.ErrInvalid, err)
	}
	k.FineTuned = parts.FineTuned
	newer := fmt.Errorf("the embeddings of this collection by %s were made by a newer palate; install that one: %w", name, palate.ErrConflict)
	if parts.Format > keptFormat {
		return k, newer
	}
	if err := json.Unmarshal(kept, &k.Description); err != nil {
		return k, fmt.Errorf("the description of model %s in the catalog can't be read: %w: %w", name, palate.ErrInvalid, err)
	}
	if len(parts.Settings) == 0 {
		return k, nil
	}
	var settings Settings
	if err := json.Unmarshal(parts.Settings, &settings); errors.Is(err, palate.ErrInvalid) { // rules that are not known here
		return k, newer
	} else if err != nil {
		return k, fmt.Errorf("the settings of model %s in the catalog can't be read: %w: %w", name, palate.ErrInvalid, err)
	}
	k.Settings = settings
	return k, nil
}

// fillOlder says what palates before this one left out.
func (s *Settings) fillOlder(name string) {
	if s.Rules == "" {
		s.Rules = picture.Former // there were no others
	}
	if s.Model == "" && name == Baseline {
		s.Model = Baseline
	}
	if s.Numeric == "" {
		s.Numeric = embedder.NumericFloat
	}
}
