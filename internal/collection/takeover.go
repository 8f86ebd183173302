package collection

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe/judge"
)

const (
	// unseenNeeded is how many ratings that neither model's probe had seen it
	// takes to compare two models.
	unseenNeeded = 20
	// z95OneSided is the 95 % quantile of the normal distribution.
	z95OneSided = 1.6448536269514722
)

// TakeOver says how a fine-tuned model compares with the one that serves.
type TakeOver struct {
	Model   string         `json:"model"`
	From    palate.ModelID `json:"from"`
	To      palate.ModelID `json:"to"`
	Profile palate.Profile `json:"profile"`
	// Head and Probe are the versions that were compared: the fine-tuned
	// model's head, and the probe that served when it was trained.
	Head  int `json:"head_version"`
	Probe int `json:"probe_version"`

	Unseen        int     `json:"unseen"` // ratings that neither had seen, of pictures that both models have embedded
	Likes         int     `json:"likes"`
	Difference    float64 `json:"difference"` // of the head's AUC from the probe's
	StandardError float64 `json:"standard_error"`

	Serves  bool           `json:"serves"` // the fine-tuned model does, from now on
	Reason  string         `json:"reason"`
	Upgrade *UpgradeReport `json:"upgrade,omitempty"`
}

// TakeOver lets a fine-tuned model serve the collection if its head is better
// than the probe that served when it was trained, on ratings that neither had
// seen: if its AUC is higher by more than noise explains, by the paired test of
// DeLong et al. (1988) at 5 % on one side. With fewer than 20 such ratings, or
// where other profiles have tastes on the model that serves, it does not.
//
// palate.ErrNotFound for a model that was not fine-tuned, or that the profile
// has no head on.
func (c *Collection) TakeOver(ctx context.Context, profile palate.Profile, name string) (TakeOver, error) {
	tuned, err := c.Loader.Store().Tuned(name)
	if err != nil {
		return TakeOver{}, err
	}
	if tuned.Profile != profile {
		return TakeOver{}, fmt.Errorf("model %s was fine-tuned on the ratings of %s, not of %s: %w", name, tuned.Profile, profile, palate.ErrConflict)
	}
	m, err := c.openModel(ctx, c.Loader.with(func(config *ModelConfig) { config.Asked = models.Settings{} }).LoadLater)
	if err != nil {
		return TakeOver{}, err
	}
	t, err := m.takeOver(ctx, profile, name)
	return t, errors.Join(err, m.Close())
}

func (m *Model) takeOver(ctx context.Context, profile palate.Profile, name string) (t TakeOver, err error) {
	t = TakeOver{Model: name, From: m.Embedder.Model(), Profile: profile}
	next, err := m.Beside(ctx, models.Settings{Model: name})
	if err != nil {
		return t, err
	}
	if next == nil {
		t.To, t.Serves, t.Reason = t.From, true, "it serves already"
		return t, nil
	}
	defer func() { err = errors.Join(err, next.Close()) }()
	t.To = next.Embedder.Model()
	head, err := next.Tastes.Current(ctx, profile)
	if err != nil {
		return t, err
	}
	before, err := m.probeBefore(ctx, profile, head.LastEntry)
	if err != nil {
		return t, err
	}
	t.Head, t.Probe = head.Version, before.Version
	better, err := m.compare(ctx, &t, head, before)
	if err != nil || !better {
		return t, err
	}
	others, err := m.othersWithTastes(ctx, profile)
	if err != nil {
		return t, err
	}
	if len(others) > 0 {
		t.Reason += fmt.Sprintf("; but one model serves a collection, and %v have tastes on the one that does: use this one by --model %s", others, name)
		return t, nil
	}
	upgrade, err := m.upgradeTo(ctx, next, m.embedTelling("embed"))
	m.tell.EndProgress()
	if err != nil {
		return t, err
	}
	t.Serves, t.Upgrade = true, &upgrade
	return t, nil
}

// probeBefore is the newest probe on this model that had seen no more ratings
// than up to an entry; else the oldest: later ones know more than who is
// compared with them.
func (m *Model) probeBefore(ctx context.Context, profile palate.Profile, entry int64) (taste.Version, error) {
	all, err := m.Catalog.ListProbes(ctx, profile)
	if err != nil {
		return taste.Version{}, err
	}
	chosen := 0
	for _, v := range all { // the newest first
		if v.Model != m.Embedder.Model() {
			continue
		}
		if chosen = v.Version; v.LastEntry <= entry {
			break
		}
	}
	if chosen == 0 {
		return taste.Version{}, fmt.Errorf("%s has no probe on the model that serves (%s): learn one with palate train: %w", profile, m.Embedder.Name(), palate.ErrNotFound)
	}
	return m.Tastes.Version(ctx, profile, chosen)
}

// compare tests both on the ratings that neither had seen.
func (m *Model) compare(ctx context.Context, t *TakeOver, head, before taste.Version) (better bool, err error) {
	unseen, err := m.ratedAfter(ctx, t.Profile, max(head.LastEntry, before.LastEntry))
	if err != nil {
		return false, err
	}
	ids := make([]palate.ImageID, 0, len(unseen))
	for id := range unseen {
		ids = append(ids, id)
	}
	scores := map[palate.ImageID]float64{}
	mine, err := m.Catalog.EmbeddingsOf(ctx, t.From, ids)
	if err != nil {
		return false, err
	}
	for _, e := range mine {
		scores[e.ID] = before.Learned.ScoreOf(e.ID, e.Embedding)
	}
	theirs, err := m.Catalog.EmbeddingsOf(ctx, t.To, ids)
	if err != nil {
		return false, err
	}
	var first, second []float64
	var liked []bool
	for _, e := range theirs {
		if old, both := scores[e.ID]; both {
			first, second, liked = append(first, head.Learned.ScoreOf(e.ID, e.Embedding)), append(second, old), append(liked, unseen[e.ID])
			if t.Unseen++; unseen[e.ID] {
				t.Likes++
			}
		}
	}
	switch missing := len(unseen) - t.Unseen; {
	case t.Unseen < unseenNeeded && missing > 0:
		t.Reason = fmt.Sprintf("%d ratings that neither had seen are of pictures that both models have embedded, and it takes %d: palate embed --model %s embeds %d more", t.Unseen, unseenNeeded, t.Model, missing)
		return false, nil
	case t.Unseen < unseenNeeded:
		t.Reason = fmt.Sprintf("there are %d ratings that neither had seen, and it takes %d to compare them: rate more", t.Unseen, unseenNeeded)
		return false, nil
	case t.Likes == 0 || t.Likes == t.Unseen:
		t.Reason = fmt.Sprintf("the %d ratings that neither had seen are of one kind: nothing to compare on", t.Unseen)
		return false, nil
	}
	t.Difference, t.StandardError = judge.Paired(first, second, liked)
	better = t.Difference > 0 && t.Difference > z95OneSided*t.StandardError
	word := "not better"
	if better {
		word = "better"
	}
	t.Reason = fmt.Sprintf("%s on the %d ratings that neither had seen: AUC %+.3f than the probe's (standard error %.3f)", word, t.Unseen, t.Difference, t.StandardError)
	return better, nil
}

// ratedAfter gives the standing likes and dislikes after an entry of the log.
func (c *Collection) ratedAfter(ctx context.Context, p palate.Profile, entry int64) (map[palate.ImageID]bool, error) {
	liked := make(map[palate.ImageID]bool)
	const page = 1000
	for before := int64(0); ; {
		ratings, err := c.Catalog.StandingRatings(ctx, p, catalog.RatingQuery{Before: before, Limit: page})
		if err != nil {
			return nil, err
		}
		for _, r := range ratings {
			if r.Entry > entry && r.Verdict != palate.Skip {
				liked[r.Image] = r.Verdict == palate.Like
			}
		}
		if len(ratings) < page || ratings[page-1].Entry <= entry {
			return liked, nil
		}
		before = ratings[page-1].Entry
	}
}

// othersWithTastes names the other profiles that have a taste on this model.
func (m *Model) othersWithTastes(ctx context.Context, but palate.Profile) ([]palate.Profile, error) {
	profiles, err := m.Catalog.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	var others []palate.Profile
	for _, p := range profiles {
		if p.Profile == but {
			continue
		}
		switch _, err := m.Tastes.Current(ctx, p.Profile); {
		case err == nil:
			others = append(others, p.Profile)
		case !errors.Is(err, palate.ErrNotFound):
			return nil, err
		}
	}
	return others, nil
}
