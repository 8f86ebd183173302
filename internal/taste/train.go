package taste

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// Training is one training that has begun: its ratings are read, its lease is
// held and its run is recorded. Finish or Cancel must be called.
type Training struct {
	Profile palate.Profile
	Run     catalog.Run

	job       *job.Job
	tastes    *Tastes
	config    probe.Config
	thorough  bool
	lease     catalog.Lease
	examples  []probe.Example
	lastEntry int64
	since     []probe.Example // rated after the serving probe was trained
	serving   *probe.Probe    // nil if there is none
}

// Outcome is what a training gave.
type Outcome struct {
	Version Version
	Report  *judge.Report
}

// Begin reads the ratings of the profile and takes its lease. It fails with
// *probe.NotEnoughError if they are too few or one-sided, and with
// palate.ErrConflict if the profile is being trained by anyone.
func (t *Tastes) Begin(ctx context.Context, p palate.Profile) (*Training, error) {
	return t.BeginAs(ctx, p, nil)
}

// BeginAs is Begin with a kind of its own; nil is Begin.
func (t *Tastes) BeginAs(ctx context.Context, p palate.Profile, kind probe.Kind) (*Training, error) {
	config := t.config.Probe
	if kind != nil {
		config.Kind = kind
	}
	return t.begin(ctx, p, config, false)
}

func (t *Tastes) begin(ctx context.Context, p palate.Profile, config probe.Config, thorough bool) (*Training, error) {
	training := &Training{Profile: p, tastes: t, config: config, thorough: thorough}
	lease, err := t.lease(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("train %s: %w", p, err)
	}
	training.lease = lease
	if err := training.read(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("train %s: %w", p, err), lease.Release())
	}
	if training.config.Kind == nil {
		training.config.Kind = training.usualKind()
	}
	training.job, err = job.Begin(ctx, t.catalog, job.Train, p)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("train %s: %w", p, err), lease.Release())
	}
	training.Run = training.job.Run
	return training, nil
}

// usualKind is the kind that was asked for when the serving version was
// trained: who chose one does not choose it again after every rating. Where
// nothing was asked for it is probe.Auto.
func (tr *Training) usualKind() probe.Kind {
	if tr.serving == nil || tr.serving.Settings.Asked == "" {
		return probe.Auto
	}
	kind, err := probe.ParseKind(tr.serving.Settings.Asked)
	if err != nil { // of a later release
		return probe.Auto
	}
	return kind
}

// Train is Begin and Finish in one.
func (t *Tastes) Train(ctx context.Context, p palate.Profile) (Outcome, error) {
	training, err := t.Begin(ctx, p)
	if err != nil {
		return Outcome{}, err
	}
	return training.Finish(ctx)
}

// TrainWith is Train with other settings; thorough adds baselines, a learning
// curve and more rounds to the report, for several times the time.
func (t *Tastes) TrainWith(ctx context.Context, p palate.Profile, config probe.Config, thorough bool) (Outcome, error) {
	if err := config.Validate(); err != nil {
		return Outcome{}, fmt.Errorf("train %s: %w", p, err)
	}
	training, err := t.begin(ctx, p, config, thorough)
	if err != nil {
		return Outcome{}, err
	}
	return training.Finish(ctx)
}

// lease keeps others from changing the probes of a profile.
func (t *Tastes) lease(ctx context.Context, p palate.Profile) (catalog.Lease, error) {
	return t.catalog.AcquireLease(ctx, "train-"+string(p))
}

// Cancel ends a training that will not be finished.
func (tr *Training) Cancel(ctx context.Context, why string) error {
	return errors.Join(tr.job.End(ctx, catalog.Cancelled, nil, errors.New(why)), tr.lease.Release())
}

// The stages that a training tells of as its progress.
const (
	stageRead = 1 + iota // the ratings are read
	stageTrained
	stageStored

	stages = stageStored
)

// result is what the job of a training says of it: which version it made, and
// the report without what grows with the ratings.
type result struct {
	Version int    `json:"version"`
	Current bool   `json:"current"`
	Reason  string `json:"reason"`
	*judge.Report
	Settings probe.Settings `json:"settings"`
}

// Finish trains the probe, stores it as the next version and lets it serve
// unless it is worse on ratings that the serving one had not seen.
func (tr *Training) Finish(ctx context.Context) (Outcome, error) {
	var outcome Outcome
	err := tr.job.Do(ctx, func(ctx context.Context) (any, error) {
		tr.job.Progress(ctx, stageRead, stages)
		var err error
		if outcome, err = tr.train(ctx); err != nil {
			return nil, fmt.Errorf("train %s: %w", tr.Profile, err)
		}
		tr.job.Progress(ctx, stageStored, stages)
		tr.say(ctx, outcome)
		version, brief := outcome.Version, outcome.Report.Summary()
		brief.Metrics, brief.LearningCurve = outcome.Report.Metrics, outcome.Report.LearningCurve
		return result{version.Version, version.Current, version.Reason, brief, version.Learned.Settings}, nil
	})
	return outcome, errors.Join(err, tr.lease.Release())
}

// say tells the job's log what came of it.
func (tr *Training) say(ctx context.Context, o Outcome) {
	r, serves := o.Report, "It serves now"
	if !o.Version.Current {
		serves = "It does not serve"
	}
	tr.job.Say(ctx, "Version %d was learned from %d likes and %d dislikes: AUC %.3f [%.3f, %.3f].", o.Version.Version, r.Likes, r.Dislikes, r.AUC, r.AUCLow, r.AUCHigh)
	tr.job.Say(ctx, "%s: %s.", serves, o.Version.Reason)
	for _, warning := range r.Warnings {
		tr.job.Warn(ctx, "%s", warning)
	}
}

func (tr *Training) train(ctx context.Context) (Outcome, error) {
	t := tr.tastes
	if t.config.Sketch != nil {
		for i := range tr.examples {
			e := &tr.examples[i]
			e.Sketch = func() []byte { return t.sketch(ctx, e.Image) }
		}
	}
	config := tr.config
	config.Comparisons = t.comparisons(tr.Profile)
	if tr.thorough {
		config = config.Thorough(tr.examples)
	}
	learned, report, err := probe.Train(ctx, tr.examples, t.model, config)
	if err != nil {
		return Outcome{}, err
	}
	tr.job.Progress(ctx, stageTrained, stages)
	weights, err := learned.MarshalReferences()
	if err != nil {
		return Outcome{}, err
	}
	written, err := json.Marshal(report)
	if err != nil {
		return Outcome{}, err
	}
	summary, err := json.Marshal(report.Summary())
	if err != nil {
		return Outcome{}, err
	}
	current, reason := true, "the first probe"
	if tr.serving != nil {
		current, reason = probe.TakesOver(tr.serving, tr.since, report.OutOfFold)
	}
	stored, err := t.catalog.AddProbe(ctx, catalog.ProbeVersion{
		Profile: tr.Profile, Model: t.model, Weights: weights, Summary: summary, Report: written,
		LastEntry: tr.lastEntry, Run: tr.Run.ID, Current: current, Reason: reason,
	})
	if err != nil {
		return Outcome{}, err
	}
	t.logger.InfoContext(ctx, "probe trained", "profile", tr.Profile, "version", stored.Version,
		"current", stored.Current, "likes", report.Likes, "dislikes", report.Dislikes, "auc", report.AUC)
	return Outcome{Version: Version{ProbeVersion: stored, Learned: learned}, Report: report}, nil
}
