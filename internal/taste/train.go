package taste

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/probe"
)

// ratingsPage is how many ratings are read from the catalog at a time.
const ratingsPage = 1000

// Training is one training that has begun: its ratings are read, its lease is
// held and its run is recorded. Finish or Cancel must be called.
type Training struct {
	Profile palate.Profile
	Run     catalog.Run

	tastes    *Tastes
	lease     catalog.Lease
	examples  []probe.Example
	lastEntry int64
	since     []probe.Example // rated after the serving probe was trained
	serving   *probe.Probe    // nil if there is none
}

// Outcome is what a training gave.
type Outcome struct {
	Version Version
	Report  *probe.Report
}

// Begin reads the ratings of the profile and takes its lease. It fails with
// *probe.NotEnoughError if they are too few or one-sided, and with
// palate.ErrConflict if the profile is being trained by anyone.
func (t *Tastes) Begin(ctx context.Context, p palate.Profile) (*Training, error) {
	training := &Training{Profile: p, tastes: t}
	lease, err := t.catalog.AcquireLease(ctx, "train-"+string(p))
	if err != nil {
		return nil, fmt.Errorf("train %s: %w", p, err)
	}
	training.lease = lease
	if err := training.read(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("train %s: %w", p, err), lease.Release())
	}
	training.Run, err = t.catalog.StartRun(ctx, "train", p)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("train %s: %w", p, err), lease.Release())
	}
	return training, nil
}

// Train is Begin and Finish in one.
func (t *Tastes) Train(ctx context.Context, p palate.Profile) (Outcome, error) {
	training, err := t.Begin(ctx, p)
	if err != nil {
		return Outcome{}, err
	}
	return training.Finish(ctx)
}

// read gathers the standing likes and dislikes that have an embedding.
func (tr *Training) read(ctx context.Context) error {
	t := tr.tastes
	var servedUpTo int64
	switch current, err := t.Current(ctx, tr.Profile); {
	case err == nil:
		tr.serving, servedUpTo = current.Learned, current.LastEntry
	case !errors.Is(err, palate.ErrNotFound):
		return err
	}
	ratings, err := t.judgements(ctx, tr.Profile)
	if err != nil {
		return err
	}
	ids := make([]palate.ImageID, 0, len(ratings))
	for id := range ratings {
		ids = append(ids, id)
	}
	embeddings, err := t.catalog.EmbeddingsOf(ctx, t.model, ids)
	if err != nil {
		return err
	}
	for _, e := range embeddings {
		r := ratings[e.ID]
		example := probe.Example{Image: e.ID, Embedding: e.Embedding, Liked: r.Verdict == palate.Like}
		tr.examples = append(tr.examples, example)
		if r.Entry > servedUpTo {
			tr.since = append(tr.since, example)
		}
		tr.lastEntry = max(tr.lastEntry, r.Entry)
	}
	return t.config.Probe.Enough(tr.examples)
}

// judgements returns the standing likes and dislikes of a profile.
func (t *Tastes) judgements(ctx context.Context, p palate.Profile) (map[palate.ImageID]catalog.Rating, error) {
	ratings := make(map[palate.ImageID]catalog.Rating)
	for before := int64(0); ; {
		page, err := t.catalog.StandingRatings(ctx, p, catalog.RatingQuery{Before: before, Limit: ratingsPage})
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Verdict != palate.Skip {
				ratings[r.Image] = r
			}
		}
		if len(page) < ratingsPage {
			return ratings, nil
		}
		before = page[len(page)-1].Entry
	}
}

// Cancel ends a training that will not be finished.
func (tr *Training) Cancel(ctx context.Context, why string) error {
	err := tr.tastes.catalog.FinishRun(ctx, tr.Run.ID, catalog.Cancelled, nil, why)
	return errors.Join(err, tr.lease.Release())
}

// Finish trains the probe, stores it as the next version and lets it serve
// unless it is worse on ratings that the serving one had not seen.
func (tr *Training) Finish(ctx context.Context) (Outcome, error) {
	outcome, err := tr.train(ctx)
	// The run is ended and the lease given back even when ctx is done.
	ending := context.WithoutCancel(ctx)
	if err != nil {
		state := catalog.Failed
		if ctx.Err() != nil {
			state = catalog.Cancelled
		}
		err = fmt.Errorf("train %s: %w", tr.Profile, err)
		return Outcome{}, errors.Join(err,
			tr.tastes.catalog.FinishRun(ending, tr.Run.ID, state, nil, err.Error()), tr.lease.Release())
	}
	result, err := json.Marshal(map[string]any{
		"version": outcome.Version.Version, "current": outcome.Version.Current, "reason": outcome.Version.Reason,
		"likes": outcome.Report.Likes, "dislikes": outcome.Report.Dislikes,
		"auc": outcome.Report.AUC, "auc_low": outcome.Report.AUCLow, "auc_high": outcome.Report.AUCHigh,
	})
	if err == nil {
		err = tr.tastes.catalog.FinishRun(ending, tr.Run.ID, catalog.Succeeded, result, "")
	}
	return outcome, errors.Join(err, tr.lease.Release())
}

func (tr *Training) train(ctx context.Context) (Outcome, error) {
	t := tr.tastes
	learned, report, err := probe.Train(ctx, tr.examples, t.model, t.config.Probe)
	if err != nil {
		return Outcome{}, err
	}
	weights, err := learned.MarshalBinary()
	if err != nil {
		return Outcome{}, err
	}
	written, err := json.Marshal(report)
	if err != nil {
		return Outcome{}, err
	}
	current, reason := true, "the first probe"
	if tr.serving != nil {
		current, reason = probe.TakesOver(tr.serving, tr.since, report.OutOfFold)
	}
	stored, err := t.catalog.AddProbe(ctx, catalog.Probe{
		Profile: tr.Profile, Model: t.model, Weights: weights, Report: written,
		LastEntry: tr.lastEntry, Run: tr.Run.ID, Current: current, Reason: reason,
	})
	if err != nil {
		return Outcome{}, err
	}
	t.logger.InfoContext(ctx, "probe trained", "profile", tr.Profile, "version", stored.Version,
		"current", stored.Current, "likes", report.Likes, "dislikes", report.Dislikes, "auc", report.AUC)
	return Outcome{Version: Version{Probe: stored, Learned: learned}, Report: report}, nil
}
