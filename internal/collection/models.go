package collection

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
)

// ModelState says what a model is to a collection.
type ModelState string

// The states.
const (
	StateServes   ModelState = "serves"
	StateComing   ModelState = "being filled"
	StateReplaced ModelState = "replaced"
	StateBeside   ModelState = "beside it"
)

// ModelEntry is a model with embeddings in the collection.
type ModelEntry struct {
	Model    palate.ModelID  `json:"model_id"`
	Name     string          `json:"name"`
	Embedded int             `json:"embedded"`
	State    ModelState      `json:"state"`
	Rules    picture.Rules   `json:"preprocessing"`
	About    string          `json:"preprocessing_about"`
	Settings models.Settings `json:"settings"`
}

// Models lists the models with embeddings, the one that serves last but for
// those that are being filled.
func (c *Collection) Models(ctx context.Context) ([]ModelEntry, error) {
	used, err := c.UsedModels(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]ModelEntry, len(used))
	for i, u := range used {
		entries[i] = ModelEntry{u.id, u.name, u.embedded, StateBeside, u.settings.Rules, u.settings.Rules.About(), u.settings}
		switch {
		case i == len(used)-1:
			entries[i].State = StateServes
		case u.replaced:
			entries[i].State = StateReplaced
		}
	}
	upgrades, err := c.Catalog.Upgrades(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.Catalog.Models(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range upgrades {
		for _, m := range all {
			if m.ID != u.To || !u.FinishedAt.IsZero() {
				continue
			}
			settings, err := c.settingsOf(ctx, m.ID)
			if err != nil {
				return nil, err
			}
			n, err := c.Catalog.CountEmbeddings(ctx, m.ID)
			if err != nil {
				return nil, err
			}
			entries = append(entries, ModelEntry{m.ID, m.Name, n, StateComing, settings.Rules, settings.Rules.About(), settings})
		}
	}
	return entries, nil
}

// Forgotten is what forgetting a model comes to.
type Forgotten struct {
	Model      palate.ModelID `json:"model_id"`
	Name       string         `json:"name"`
	Embeddings int            `json:"embeddings"`
	Serves     palate.ModelID `json:"serves,omitempty"` // from now on
	Done       bool           `json:"done"`
}

// Forget removes the embeddings and probes of the model whose ID begins so; the
// model itself, its file and all ratings stay. Without really it only says what
// would go.
func (c *Collection) Forget(ctx context.Context, beginning string, really bool) (Forgotten, error) {
	all, err := c.Models(ctx)
	if err != nil {
		return Forgotten{}, err
	}
	var found, left []ModelEntry
	for _, e := range all {
		if beginning != "" && strings.HasPrefix(string(e.Model), strings.ToLower(beginning)) {
			found = append(found, e)
		} else if e.State != StateComing {
			left = append(left, e)
		}
	}
	if len(found) != 1 {
		return Forgotten{}, fmt.Errorf("%d models of this collection have an ID that begins with %q; palate model list shows them: %w", len(found), beginning, palate.ErrNotFound)
	}
	f := Forgotten{Model: found[0].Model, Name: found[0].Name, Embeddings: found[0].Embedded, Done: really}
	if len(left) > 0 {
		f.Serves = left[len(left)-1].Model
	}
	if !really {
		return f, nil
	}
	if _, err = c.Catalog.ForgetModel(ctx, f.Model); err != nil {
		return f, err
	}
	err = os.Remove(filepath.Join(c.config.Folder, IndexFolder, f.Model.Short()+".flat"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return f, err
}
