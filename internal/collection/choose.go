package collection

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
)

// Used is a model that has embedded images of a collection.
type Used struct {
	id       palate.ModelID
	name     string
	settings models.Settings
	// description and dim are what is known without the weights.
	description embedder.Description
	dim         int
	embedded    int
	replaced    bool // by another, see catalog.Upgrade
	// candidate is a fine-tuned model that has not taken over: it serves where
	// it is named.
	candidate bool
	evidence  string // why this one goes before others that might
}

// before puts models that were replaced, then those that have not taken over,
// before those that serve, and of each kind the one with fewer embeddings
// first.
func (u Used) before(v Used) bool {
	if u.replaced != v.replaced {
		return u.replaced
	}
	if u.candidate != v.candidate {
		return u.candidate
	}
	return u.embedded < v.embedded
}

// choice is the model that a command works with.
type choice struct {
	settings models.Settings
	// keeps is the model whose embeddings the collection has, if the choice
	// was left open and goes by that.
	keeps palate.ModelID
	// advice is what the user may want to do instead; empty if nothing.
	advice string
	// among says why this one goes on of several that the collection has; empty
	// if there is no other.
	among string
}

// UsedModels lists the models with embeddings in the catalog, the one with the
// most last, of equal ones the newest, of about equal ones the one that was
// measured to tell a taste best; those whose place another has taken, and
// those that were fine-tuned and have not taken over, come before all others,
// and one that is yet to take a place is left out.
func (c *Collection) UsedModels(ctx context.Context) ([]Used, error) {
	all, err := c.Catalog.Models(ctx)
	if err != nil {
		return nil, err
	}
	upgrades, err := c.Catalog.Upgrades(ctx)
	if err != nil {
		return nil, err
	}
	replaced, coming, tookOver := map[palate.ModelID]bool{}, map[palate.ModelID]bool{}, map[palate.ModelID]bool{}
	for _, u := range upgrades {
		if u.FinishedAt.IsZero() {
			coming[u.To] = true
		} else {
			replaced[u.From], tookOver[u.To] = true, true
		}
	}
	var used []Used
	for _, m := range all {
		n, err := c.Catalog.CountEmbeddings(ctx, m.ID)
		if err != nil {
			return nil, err
		}
		if n == 0 || coming[m.ID] {
			continue
		}
		u := Used{id: m.ID, name: m.Name, dim: m.Dim, embedded: n, replaced: replaced[m.ID]}
		kept, err := models.ParseKept(m.Name, m.Description)
		if err != nil && !errors.Is(err, palate.ErrInvalid) { // what is damaged is asked for, see choose
			return nil, err
		}
		u.description, u.settings, u.candidate = kept.Description, kept.Settings, kept.FineTuned && !tookOver[m.ID]
		used = append(used, u)
		for i := len(used) - 1; i > 0 && used[i].before(used[i-1]); i-- {
			used[i-1], used[i] = used[i], used[i-1]
		}
	}
	return used, c.preferMeasured(ctx, used)
}

// usedAsAsked is the model of the collection that goes with what was asked for,
// if there is one.
func (l *Loader) usedAsAsked(used []Used) (Used, bool) {
	for _, u := range slices.Backward(used) {
		if u.settings.Model != "" && l.config.Asked.Agrees(u.settings) {
			return u, true
		}
	}
	return Used{}, false
}

// choiceOf goes on with a model of the collection.
func (l *Loader) choiceOf(u Used) choice {
	c := choice{settings: u.settings}
	if l.config.Asked.Model == "" {
		c.keeps, c.among = u.id, u.evidence
	}
	return c
}

// choose decides on the model. used are the collection's; mayPull allows
// weights to be downloaded.
func (l *Loader) choose(ctx context.Context, device ort.Choice, used []Used, mayPull bool) (choice, error) {
	asked := l.config.Asked
	if u, found := l.usedAsAsked(used); found {
		c := l.choiceOf(u)
		if asked.Model == "" {
			if present := picture.Current(); u.settings.Rules != present && u.settings.Rules != present.Without(picture.JPEGWhole) || u.settings.Rules == picture.Former {
				c.advice = "the collection's pictures are read by earlier rules (" + u.settings.Rules.About() + "), which go on; for the present ones (" + present.About() + "): palate embed --upgrade"
			} else if u.evidence != "" {
				c.advice = u.evidence
			} else if fresh := defaultModel(device); u.settings.Model != fresh {
				c.advice = fmt.Sprintf("the collection's %d embeddings are by %s, which goes on; for others: palate embed --model %s", u.embedded, u.settings.Model, fresh)
			}
		}
		return c, nil
	}
	if asked.Model != "" {
		return choice{settings: asked}, nil
	}
	if len(used) > 0 {
		last := used[len(used)-1]
		if last.settings.Model == "" {
			return choice{}, fmt.Errorf("the collection's embeddings are by %s, and where that is was not noted: name it with --model: %w", last.name, palate.ErrConflict)
		}
		last.settings.Rules = "" // what is embedded anew is by the present ones
		return choice{settings: asked.Or(last.settings)}, nil
	}
	return l.chooseFresh(ctx, asked, device, mayPull)
}

func defaultModel(device ort.Choice) string {
	if device.Kind == ort.DeviceCPU {
		return models.DefaultOnCPU
	}
	return models.DefaultOnGPU
}

// chooseFresh is for a collection without embeddings: the default's weights
// from the cache, else from the hub, else the built-in model.
func (l *Loader) chooseFresh(ctx context.Context, asked models.Settings, device ort.Choice, mayPull bool) (choice, error) {
	k, err := models.KnownModel(defaultModel(device))
	if err != nil {
		return choice{}, err
	}
	asked.Model = k.Name
	client, err := l.Hub()
	if err != nil {
		return choice{}, err
	}
	store := l.Store()
	_, err = store.Find(k.Name, client)
	if errors.Is(err, palate.ErrNotFound) && mayPull {
		reach, cancel := context.WithTimeoutCause(ctx, l.config.ReachHubPatience, errors.New("no answer from the hub in time"))
		_, err = client.Stat(reach, k.File)
		cancel()
		if err == nil {
			_, err = l.pull(ctx, k)
		}
	}
	switch {
	case err == nil:
		return choice{settings: asked}, nil
	case ctx.Err() != nil:
		return choice{}, ctx.Err()
	}
	// What was asked for beside the model is the transformer's.
	c := choice{settings: models.Settings{Model: models.Baseline, Rules: asked.Rules}}
	if !mayPull && errors.Is(err, palate.ErrNotFound) {
		c.advice = fmt.Sprintf("%s is not here yet (%.0f MB): get it with palate model pull %s; palate embed does so by itself", k.Name, float64(k.Bytes())/1e6, k.Name)
		return c, nil
	}
	c.advice = fmt.Sprintf("no weights of %s (%v): going on with the built-in baseline, which knows colour and texture only; with a network: palate embed --model %s",
		k.Name, err, k.Name)
	return c, nil
}
