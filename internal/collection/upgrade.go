package collection

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// UpgradeReport is what an upgrade came to.
type UpgradeReport struct {
	From        palate.ModelID     `json:"from"`
	To          palate.ModelID     `json:"to"`
	FromRules   picture.Rules      `json:"from_preprocessing"`
	ToRules     picture.Rules      `json:"to_preprocessing"`
	Embedding   ingest.EmbedReport `json:"embedding"`
	Trained     []palate.Profile   `json:"trained"`
	NotTrained  map[string]string  `json:"not_trained,omitempty"` // profile: why
	NothingToDo bool               `json:"nothing_to_do,omitempty"`
}

// Words say what was done, a line each.
func (r UpgradeReport) Words() []string {
	if r.NothingToDo {
		return []string{fmt.Sprintf("The collection is read by these rules already: %s.", r.ToRules.About())}
	}
	words := []string{
		fmt.Sprintf("The collection is read by new rules: %s.", r.ToRules.About()),
		fmt.Sprintf("%d embeddings were copied, as no changed rule touches their pictures, %d were made anew, %d could not be.",
			r.Embedding.Copied, r.Embedding.Embedded, r.Embedding.Failed),
	}
	for _, p := range r.Trained {
		words = append(words, fmt.Sprintf("The taste of %s was learned again from its ratings.", p))
	}
	for _, p := range slices.Sorted(maps.Keys(r.NotTrained)) {
		words = append(words, fmt.Sprintf("The taste of %s could not be learned again: %s", p, r.NotTrained[p]))
	}
	return append(words, fmt.Sprintf("The former embeddings stay until: palate model forget %s", r.From.Short()))
}

// Upgrade brings the collection to the rules (empty: the present ones), or goes
// on with what was begun.
func (c *Collection) Upgrade(ctx context.Context, rules picture.Rules) (UpgradeReport, error) {
	rules = rules.OrCurrent()
	// The model that serves is not chosen by the rules.
	m, err := c.openModelToEmbed(ctx, c.Loader.with(func(config *ModelConfig) { config.Asked.Rules = "" }))
	if err != nil {
		return UpgradeReport{}, err
	}
	report, err := m.upgrade(ctx, rules)
	return report, errors.Join(err, m.Close())
}

func (m *Model) upgrade(ctx context.Context, rules picture.Rules) (UpgradeReport, error) {
	next, err := m.successor(ctx, rules)
	if err != nil {
		return UpgradeReport{}, err
	}
	if next == nil {
		return UpgradeReport{From: m.Embedder.Model(), To: m.Embedder.Model(), FromRules: rules, ToRules: rules, NothingToDo: true}, nil
	}
	defer m.tell.EndProgress()
	report, err := m.upgradeTo(ctx, next, m.embedTelling("upgrade"))
	return report, errors.Join(err, next.Close())
}

// filling embeds what a successor has not embedded yet; former, if not nil, is
// the model whose embeddings may be copied.
type filling func(ctx context.Context, next *Model, former *ingest.Former, pipeline embedder.PipelineConfig) (ingest.EmbedReport, error)

// embedTelling fills a successor in jobs of its own, and tells of it by a name.
func (m *Model) embedTelling(name string) filling {
	progress := func(p ingest.EmbedReport) {
		if name != "" {
			m.tell.Progress(name, "img", int64(p.Embedded+p.Copied+p.Failed), int64(p.Total))
		}
	}
	waiting := func() { note(m.tell, "another process is at the rest; waiting for it") }
	return func(ctx context.Context, next *Model, former *ingest.Former, pipeline embedder.PipelineConfig) (ingest.EmbedReport, error) {
		if former != nil {
			return m.Pictures.EmbedUpgrade(ctx, next.Embedder, *former, pipeline, progress, waiting)
		}
		return m.Pictures.EmbedAll(ctx, next.Embedder, pipeline, progress, waiting)
	}
}

// successor opens the model that is to take this one's place: the one of an
// upgrade that was begun, else the same by rules. It is nil where that is the
// same model.
func (m *Model) successor(ctx context.Context, rules picture.Rules) (*Model, error) {
	settings := m.Embedder.choice.settings
	settings.Rules = rules
	begun, err := m.begunUpgrade(ctx)
	if err != nil {
		return nil, err
	}
	if begun != nil && begun.FinishedAt.IsZero() {
		if settings, err = m.settingsOf(ctx, begun.To); err != nil {
			return nil, err
		}
	}
	return m.Beside(ctx, settings)
}

// Beside opens another model on the same collection; nil if it is this one.
func (m *Model) Beside(ctx context.Context, settings models.Settings) (*Model, error) {
	now, c, err := m.Loader.run(ctx, chosen(settings), false)
	if err != nil {
		return nil, err
	}
	loaded := m.Loader.loadedAs(now, c)
	if loaded.Model() == m.Embedder.Model() {
		return nil, loaded.Close()
	}
	return m.use(ctx, loaded)
}

// begunUpgrade is the upgrade of this model, finished or not; nil without one.
func (m *Model) begunUpgrade(ctx context.Context) (*catalog.Upgrade, error) {
	all, err := m.Catalog.Upgrades(ctx)
	for _, u := range all {
		if u.From == m.Embedder.Model() {
			return &u, err
		}
	}
	return nil, err
}

// settingsOf reads which settings made a model.
func (c *Collection) settingsOf(ctx context.Context, id palate.ModelID) (models.Settings, error) {
	all, err := c.Catalog.Models(ctx)
	if err != nil {
		return models.Settings{}, err
	}
	for _, m := range all {
		if m.ID != id {
			continue
		}
		kept, err := models.ParseKept(m.Name, m.Description)
		return kept.Settings, err
	}
	return models.Settings{}, fmt.Errorf("model %s: %w", id.Short(), palate.ErrNotFound)
}

// upgradeTo fills the successor's embeddings, learns the tastes on them and
// lets it serve. Where another process is at it they share the work.
func (m *Model) upgradeTo(ctx context.Context, next *Model, fill filling) (UpgradeReport, error) {
	from, to := m.Embedder.choice.settings.Rules, next.Embedder.choice.settings.Rules
	report := UpgradeReport{From: m.Embedder.Model(), To: next.Embedder.Model(), FromRules: from, ToRules: to, Trained: []palate.Profile{}}
	if err := m.Catalog.BeginUpgrade(ctx, report.From, report.To); err != nil {
		return report, err
	}
	pipeline, err := next.Embedder.Pipeline(ctx)
	if err != nil {
		return report, err
	}
	var former *ingest.Former // nil where it is another function altogether
	if next.Embedder.Description().By(from).Identity == report.From {
		former = &ingest.Former{Model: report.From, Rules: from}
	}
	if report.Embedding, err = fill(ctx, next, former, pipeline); err != nil {
		return report, err
	}
	if err := m.learnAgain(ctx, next, &report); err != nil {
		return report, err
	}
	return report, m.Catalog.FinishUpgrade(ctx, report.From, report.To)
}

// learnAgain trains, on the successor's embeddings, the taste of every profile
// that has one on this model's.
func (m *Model) learnAgain(ctx context.Context, next *Model, report *UpgradeReport) error {
	profiles, err := m.Catalog.Profiles(ctx)
	if err != nil {
		return err
	}
	for _, p := range profiles {
		serving, err := m.Tastes.Current(ctx, p.Profile)
		if errors.Is(err, palate.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := learnOne(ctx, next, serving, report); err != nil {
			return err
		}
	}
	return nil
}

// learnOne trains one profile, unless that was done before an interruption.
// While another process trains it, it waits for what comes of that.
func learnOne(ctx context.Context, next *Model, serving taste.Version, report *UpgradeReport) error {
	for p := serving.Profile; ; {
		if there, err := next.Tastes.Current(ctx, p); err == nil && there.LastEntry >= serving.LastEntry {
			return nil
		}
		var few *probe.NotEnoughError
		_, err := next.Tastes.Train(ctx, p)
		switch {
		case err == nil:
			report.Trained = append(report.Trained, p)
			return nil
		case errors.As(err, &few):
			if report.NotTrained == nil {
				report.NotTrained = map[string]string{}
			}
			report.NotTrained[string(p)] = err.Error()
			return nil
		case !errors.Is(err, palate.ErrConflict):
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}
