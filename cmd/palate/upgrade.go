package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// upgradeReport is what embed --upgrade prints.
type upgradeReport struct {
	From        palate.ModelID     `json:"from"`
	To          palate.ModelID     `json:"to"`
	FromRules   picture.Rules      `json:"from_preprocessing"`
	ToRules     picture.Rules      `json:"to_preprocessing"`
	Embedding   ingest.EmbedReport `json:"embedding"`
	Trained     []palate.Profile   `json:"trained"`
	NotTrained  map[string]string  `json:"not_trained,omitempty"` // profile: why
	NothingToDo bool               `json:"nothing_to_do,omitempty"`
}

// upgradeNow brings the collection to the present rules, or goes on with what
// was begun.
func (h *home) upgradeNow(ctx context.Context) error {
	s := h.session
	rules := s.settings().Rules.OrCurrent()
	s.Decode = "" // the model that serves is not chosen by it
	if err := h.openModelToEmbed(ctx); err != nil {
		return err
	}
	next, err := h.successor(ctx, rules)
	if err != nil {
		return err
	}
	if next == nil {
		report := upgradeReport{From: h.embedder.Model(), To: h.embedder.Model(), FromRules: rules, ToRules: rules, NothingToDo: true}
		if s.JSON {
			return s.print(report)
		}
		s.say("The collection is read by these rules already: %s.", rules.About())
		return nil
	}
	defer next.close()
	report, err := h.upgradeTo(ctx, next, func(p ingest.EmbedReport) {
		s.progress("upgrade", "img", int64(p.Embedded+p.Copied+p.Failed), int64(p.Total))
	})
	s.finishProgress()
	if s.JSON {
		return errors.Join(err, s.print(report))
	}
	if err != nil {
		return err
	}
	s.say("The collection is read by new rules: %s.", report.ToRules.About())
	s.say("%d embeddings were copied, as no changed rule touches their pictures, %d were made anew, %d could not be.",
		report.Embedding.Copied, report.Embedding.Embedded, report.Embedding.Failed)
	for _, p := range report.Trained {
		s.say("The taste of %s was learned again from its ratings.", p)
	}
	for p, why := range report.NotTrained {
		s.say("The taste of %s could not be learned again: %s", p, why)
	}
	s.say("The former embeddings stay until: palate model forget %s", report.From.Short())
	return nil
}

// successor opens the model that is to take this one's place: the one of an
// upgrade that was begun, else the same by rules. It is nil where that is the
// same model.
func (h *home) successor(ctx context.Context, rules picture.Rules) (*home, error) {
	settings := h.embedder.choice.settings
	settings.Rules = rules
	begun, err := h.begunUpgrade(ctx)
	if err != nil {
		return nil, err
	}
	if begun != nil && begun.FinishedAt.IsZero() {
		if settings, err = h.settingsOf(ctx, begun.To); err != nil {
			return nil, err
		}
	}
	return h.openNext(ctx, settings)
}

// openNext opens another model on the same collection; nil if it is this one.
func (h *home) openNext(ctx context.Context, settings models.Settings) (*home, error) {
	opened, err := h.embedder.openBeside(ctx, h.session, settings)
	if err != nil {
		return nil, err
	}
	if opened.Model() == h.embedder.Model() {
		return nil, opened.Close()
	}
	next := &home{session: h.session, catalog: h.catalog, store: h.store, collection: h.collection}
	if err := next.use(ctx, opened); err != nil {
		return nil, errors.Join(err, next.close())
	}
	return next, nil
}

// begunUpgrade is the upgrade of this model, finished or not; nil without one.
func (h *home) begunUpgrade(ctx context.Context) (*catalog.Upgrade, error) {
	all, err := h.catalog.Upgrades(ctx)
	for _, u := range all {
		if u.From == h.embedder.Model() {
			return &u, err
		}
	}
	return nil, err
}

// settingsOf reads which settings made a model.
func (h *home) settingsOf(ctx context.Context, id palate.ModelID) (models.Settings, error) {
	all, err := h.catalog.Models(ctx)
	if err != nil {
		return models.Settings{}, err
	}
	for _, m := range all {
		if m.ID != id {
			continue
		}
		var kept struct{ Settings models.Settings }
		err := json.Unmarshal(m.Description, &kept)
		return kept.Settings, err
	}
	return models.Settings{}, fmt.Errorf("model %s: %w", id.Short(), palate.ErrNotFound)
}

// upgradeTo fills the successor's embeddings, learns the tastes on them and
// lets it serve. Where another process is at it they share the work.
func (h *home) upgradeTo(ctx context.Context, next *home, progress func(ingest.EmbedReport)) (upgradeReport, error) {
	from, to := h.embedder.choice.settings.Rules, next.embedder.choice.settings.Rules
	report := upgradeReport{From: h.embedder.Model(), To: next.embedder.Model(), FromRules: from, ToRules: to, Trained: []palate.Profile{}}
	if err := h.catalog.BeginUpgrade(ctx, report.From, report.To); err != nil {
		return report, err
	}
	pipeline, err := next.embedder.Pipeline(ctx)
	if err != nil {
		return report, err
	}
	waiting := func() { h.session.note("another process is at the rest; waiting for it") }
	if next.embedder.Description().By(from).Identity == report.From {
		former := ingest.Former{Model: report.From, Rules: from}
		report.Embedding, err = h.collection.EmbedUpgrade(ctx, next.embedder, former, pipeline, progress, waiting)
	} else { // another function altogether
		report.Embedding, err = h.collection.EmbedAll(ctx, next.embedder, pipeline, progress, waiting)
	}
	if err != nil {
		return report, err
	}
	if err := h.learnAgain(ctx, next, &report); err != nil {
		return report, err
	}
	return report, h.catalog.FinishUpgrade(ctx, report.From, report.To)
}

// learnAgain trains, on the successor's embeddings, the taste of every profile
// that has one on this model's.
func (h *home) learnAgain(ctx context.Context, next *home, report *upgradeReport) error {
	profiles, err := h.catalog.Profiles(ctx)
	if err != nil {
		return err
	}
	for _, p := range profiles {
		serving, err := h.tastes.Current(ctx, p.Profile)
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
func learnOne(ctx context.Context, next *home, serving taste.Version, report *upgradeReport) error {
	for p := serving.Profile; ; {
		if there, err := next.tastes.Current(ctx, p); err == nil && there.LastEntry >= serving.LastEntry {
			return nil
		}
		var few *probe.NotEnoughError
		_, err := next.tastes.Train(ctx, p)
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
		case <-time.After(leaseRetry):
		}
	}
}
