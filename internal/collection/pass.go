package collection

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/starter"
)

// Choices implements starter.Steps: the models that the collection can be passed
// on to, the one that serves among them, and the upgrade that waits for it.
func (m *Model) Choices(ctx context.Context) (starter.Choices, error) {
	all, err := m.Loader.AboutModels()
	if all == nil {
		return starter.Choices{}, err
	}
	if err != nil {
		m.logger.WarnContext(ctx, "some models can't be told of", "error", err)
	}
	used, err := m.Models(ctx)
	if err != nil {
		return starter.Choices{}, err
	}
	serves := m.Embedder.Settings()
	choices := starter.Choices{Models: make([]starter.Choice, 0, len(all))}
	for _, k := range all {
		c := starter.Choice{Name: k.Name, What: k.What, State: starter.ChoiceState(stateWord(k.State)), Problem: k.Problem, Bytes: k.Bytes,
			Licence: k.Licence.Name, LicenceURL: k.Licence.URL, Page: k.Page, Gated: k.Gated, Guessed: k.Guessed, Untrainable: k.Untrainable, Serves: serves.Model == k.Name}
		for _, u := range used {
			if u.Settings.Model == k.Name {
				c.Embedded = max(c.Embedded, u.Embedded)
				c.Coming = c.Coming || u.State == StateComing
			}
		}
		choices.Models = append(choices.Models, c)
	}
	if wanted := m.Loader.config.Asked.Rules.OrCurrent(); serves.Rules.OrCurrent() != wanted {
		choices.Upgrade = &starter.RulesUpgrade{From: serves.Rules.About(), To: wanted.About()}
	}
	return choices, nil
}

func stateWord(state string) string {
	if state == ModelNotPulled {
		return string(starter.NotPulled)
	}
	return state
}

// Known implements starter.Steps. What is no name of a known or an added model,
// such as a file, is palate.ErrNotFound: no request has a file opened or an
// address asked that the operator did not name.
func (m *Model) Known(name string) error {
	if models.IsFile(name) {
		return fmt.Errorf("no model %q: a request names known and added models only: %w", name, palate.ErrNotFound)
	}
	if name == models.Baseline {
		return nil
	}
	if _, isOffer := models.OfferNamed(name); isOffer {
		return nil
	}
	_, err := m.Loader.Store().Local(name)
	if errors.Is(err, palate.ErrNotFound) {
		_, err = models.KnownModel(name)
	}
	return err
}

// Trainable implements starter.Steps.
func (m *Model) Trainable(name string) error {
	if err := m.Known(name); err != nil {
		return err
	}
	record, err := m.Loader.Store().Local(name)
	if errors.Is(err, palate.ErrNotFound) { // a known one
		return nil
	}
	if err == nil && record.Kind == models.KindONNX {
		err = models.UntrainableONNX(name)
	}
	return err
}

// PassAs implements starter.Steps: it embeds the collection with another model,
// or with this one by the present preprocessing rules, learns the tastes on it
// and lets it serve. If it fails or is cancelled, this model goes on serving
// and what was embedded is kept; if the server ends, the next one goes on.
func (m *Model) PassAs(ctx context.Context, j *job.Job, name string) (any, error) {
	if !m.passing.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("another job passes the collection on to a model already; wait for it, or cancel it: %w", palate.ErrConflict)
	}
	defer m.passing.Store(false)
	rules := m.Loader.config.Asked.Rules.OrCurrent()
	next, err := m.passTo(ctx, name, rules)
	if err != nil {
		return nil, err
	}
	if next == nil {
		now := m.Embedder.Model()
		return UpgradeReport{From: now, To: now, FromRules: rules, ToRules: rules, Trained: []palate.Profile{}, NothingToDo: true}, nil
	}
	report, err := m.upgradeTo(ctx, next, func(ctx context.Context, next *Model, former *ingest.Former, pipeline embedder.PipelineConfig) (ingest.EmbedReport, error) {
		return m.Pictures.EmbedUpgradeAs(ctx, j, next.Embedder, former, pipeline)
	})
	if err != nil && (ctx.Err() == nil || errors.Is(context.Cause(ctx), job.ErrCancelled)) {
		gone := m.Catalog.CancelUpgrade(context.WithoutCancel(ctx), report.From, report.To)
		if !errors.Is(gone, palate.ErrNotFound) {
			err = errors.Join(err, gone)
		}
	}
	return report, errors.Join(err, next.Close())
}

// passTo opens the model of a name by the rules, and without a name the successor
// of this one; nil if it is this one. Settings that the collection's embeddings
// of that name were made by are kept.
func (m *Model) passTo(ctx context.Context, name string, rules picture.Rules) (*Model, error) {
	if name == "" {
		return m.successor(ctx, rules)
	}
	if err := m.Known(name); err != nil {
		return nil, err
	}
	used, err := m.UsedModels(ctx)
	if err != nil {
		return nil, err
	}
	settings := models.Settings{Model: name, Rules: rules}
	for _, u := range slices.Backward(used) {
		if u.settings.Model == name {
			settings = u.settings
			settings.Rules = rules
			break
		}
	}
	return m.Beside(ctx, settings)
}
