package tuning

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
)

// Tuner fine-tunes models on the ratings of a collection.
type Tuner struct {
	Catalog    catalog.Catalog
	Collection *ingest.Collection
	Runtime    *ort.Runtime
	Models     *models.Store
	// Folder is where trainings have their folders, each by its name.
	Folder string
}

// Request is what is to be trained.
type Request struct {
	Profile  palate.Profile
	Weights  models.Weights
	Settings models.Settings
	// Name is that of the model that is made; also of the folder.
	Name  string
	Asked Asked
	// Resume goes on with a training that was begun.
	Resume bool
	// Flags says that it comes from the command line: what is refused is then said
	// in its flags, and with folders. Else it is said in the names of the API.
	Flags bool
	// CacheBytes bounds what is kept of tokens; 0 is the default.
	CacheBytes int64
}

// says is what a refusal says where the request came from.
func (r Request) says(flags, fields string) string {
	if r.Flags {
		return flags
	}
	return fields
}

// BegunError says that a training of that name was begun and not ended. It is
// palate.ErrConflict.
type BegunError struct{ text string }

func (e *BegunError) Error() string { return e.text }
func (e *BegunError) Unwrap() error { return palate.ErrConflict }

// KeepTokens bounds in mebibytes what is kept of what frozen blocks make of the
// pictures; with 0 it is computed anew each time.
func (r *Request) KeepTokens(mebibytes int) {
	keep := mebibytes > 0
	r.Asked.KeepTokens, r.CacheBytes = &keep, int64(mebibytes)<<20
}

// Training is one that is ready: its model is open and its cost is known. It
// must be closed.
type Training struct {
	request Request
	tuner   *Tuner
	model   models.Trainable
	folder  string
	lease   catalog.Lease
	trainer *finetune.Trainer

	rated []rated
	begun *kept // of a training that goes on
	kept  *kept

	Recipe Recipe
	Cost   Cost
}

// Prepare opens a model, reads the ratings and measures what a training will
// cost. Nothing is written but the folder.
//
// Errors: palate.ErrConflict if ratings are too few or of one kind
// (*probe.NotEnoughError), the name is taken, the training is under way in
// another process, was begun and is not to go on, or was begun with other
// settings or weights; palate.ErrInvalid for what can't be trained;
// palate.ErrNotFound if there is nothing to go on with.
func (t *Tuner) Prepare(ctx context.Context, r Request) (_ *Training, err error) {
	tr := &Training{request: r, tuner: t, folder: filepath.Join(t.Folder, r.Name)}
	if err := models.CheckName(r.Name); err != nil {
		return nil, err
	}
	if _, err := t.Models.Local(r.Name); err == nil {
		return nil, fmt.Errorf("a model %s is there already: choose another %s for what is trained: %w", r.Name, r.says("--name", "name"), palate.ErrConflict)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tr.Close())
		}
	}()
	if tr.lease, err = t.Catalog.AcquireLease(ctx, "finetune-"+r.Name); err != nil {
		return nil, fmt.Errorf("the fine-tuning of %s is under way in another process: %w", r.Name, err)
	}
	if err := tr.open(ctx); err != nil {
		return nil, err
	}
	if tr.model, err = r.Weights.Trainable(ctx, r.Settings); err != nil {
		return nil, err
	}
	if err := tr.decide(ctx); err != nil {
		return nil, err
	}
	return tr, tr.estimate(ctx)
}

// open finds what there is to go on with, or that there is nothing in the way.
func (tr *Training) open(ctx context.Context) error {
	begun, err := readKept(tr.folder)
	switch {
	case err == nil && !tr.request.Resume:
		return &BegunError{fmt.Sprintf("a training of %s was begun and not ended: ", tr.request.Name) + tr.request.says(
			"go on with it (--resume), train under another name (--name), or remove "+tr.folder+" to begin anew",
			"go on with it, or give this one another name")}
	case err == nil:
		tr.begun = begun
		if begun.Profile != tr.request.Profile {
			return fmt.Errorf("%s is of the ratings of %s, not of %s: %s: %w", tr.place(), begun.Profile, tr.request.Profile,
				tr.request.says("name the profile with --profile", "go on with it for that profile"), palate.ErrConflict)
		}
		for _, e := range begun.Examples {
			tr.rated = append(tr.rated, e.rated)
		}
		tr.request.Settings = tr.request.Settings.Or(begun.Settings)
		return nil
	case tr.request.Resume && !tr.request.Flags && errors.Is(err, palate.ErrNotFound):
		return fmt.Errorf("no training of %s was begun, or it has ended: there is nothing to go on with: %w", tr.request.Name, palate.ErrNotFound)
	case tr.request.Resume || !errors.Is(err, palate.ErrNotFound):
		return err
	}
	tr.rated, err = ratings(ctx, tr.tuner.Catalog, tr.request.Profile)
	return err
}

// place says which training was begun.
func (tr *Training) place() string {
	return "the training " + tr.request.says("in "+tr.folder, "of "+tr.request.Name)
}

// decide settles the recipe.
func (tr *Training) decide(ctx context.Context) error {
	tr.Cost.Available = availableMemory()
	if tr.begun != nil {
		if tr.model.Description.Identity != tr.begun.Model {
			return fmt.Errorf("%s is of another model, or of the same one in another way (size, fit, pool), than %s is now: %s: %w", tr.place(), tr.request.Weights.Name,
				tr.request.says("leave these flags out, or train under another --name", "train under another name"), palate.ErrConflict)
		}
		tr.Recipe = tr.begun.Recipe
		tr.Recipe.Config.CacheBytes, tr.Recipe.Config.SaveEvery = finetune.DefaultConfig().CacheBytes, finetune.DefaultConfig().SaveEvery
		if err := tr.request.agrees(tr.Recipe); err != nil {
			return err
		}
		tr.Recipe.Plan.Precision = tr.request.Asked.precision(tr.Recipe.Plan.Precision)
		if err := tr.Recipe.Plan.Precision.Available(); err != nil {
			return fmt.Errorf("fine-tuning: %w", err)
		}
	} else {
		tr.Recipe = tr.request.Asked.Recipe()
		tr.Recipe.Plan.Pool = tr.model.Settings.Pool
		tr.Recipe.Plan.Batch = 1
		if err := tr.Recipe.validate(tr.model.Trainable); err != nil {
			return err
		}
		tr.Recipe.Plan = tr.request.Asked.fitted(tr.Recipe.Plan, tr.model.Trainable, tr.Recipe.Config.BatchSize, tr.Cost.Available)
	}
	if tr.request.CacheBytes > 0 {
		tr.Recipe.Config.CacheBytes = tr.request.CacheBytes
	}
	return tr.Recipe.validate(tr.model.Trainable)
}

// Pictures is how many are trained on and held back together.
func (tr *Training) Pictures() int { return len(tr.rated) }

// Resumed reports whether the training goes on, and after which epoch.
func (tr *Training) Resumed() bool { return tr.begun != nil }

// Folder is where the checkpoints are.
func (tr *Training) Folder() string { return tr.folder }

// Close frees the model and lets others train under this name.
func (tr *Training) Close() error {
	var errs []error
	if tr.trainer != nil {
		errs = append(errs, tr.trainer.Close())
		tr.trainer = nil
	}
	if tr.lease != nil {
		errs = append(errs, tr.lease.Release())
		tr.lease = nil
	}
	return errors.Join(errs...)
}

// Run trains, as a job, and adds the model that comes of it. Stopped, it goes
// on at the next call with Request.Resume. told is called often.
func (tr *Training) Run(ctx context.Context, told func(Status)) (Result, error) {
	return job.Do(ctx, tr.tuner.Catalog, job.FineTune, tr.request.Profile, func(ctx context.Context, j *job.Job) (Result, error) {
		return tr.Train(ctx, j, func(s Status) {
			j.Progress(ctx, int64(s.Step), int64(s.Steps))
			told(s)
		})
	})
}

// Train is Run for who has begun a job, which hears of what is done and of each
// epoch, but not of how far it is.
func (tr *Training) Train(ctx context.Context, j *job.Job, told func(Status)) (Result, error) {
	began := time.Now()
	for _, text := range tr.Words() {
		j.Say(ctx, "%s", text)
	}
	result, err := tr.run(ctx, func(s Status) {
		if s.Ended != nil {
			j.Say(ctx, "%s", s.Words())
		}
		told(s)
	})
	result.Seconds = time.Since(began).Seconds()
	return result, err
}

func (tr *Training) run(ctx context.Context, told func(Status)) (Result, error) {
	if err := os.MkdirAll(tr.folder, 0o700); err != nil {
		return Result{}, err
	}
	if err := tr.begin(ctx, told); err != nil {
		return Result{}, err
	}
	if err := tr.trainer.SetHead(tr.kept.Head); err != nil {
		return Result{}, err
	}
	data, err := tr.data()
	if err != nil {
		return Result{}, err
	}
	progress := &meter{told: told}
	fitted, err := tr.trainer.Fit(ctx, data, tr.Recipe.Config, tr.folder, progress.tell)
	if err != nil {
		return Result{}, err
	}
	return tr.finish(ctx, data, fitted)
}

// DefaultName is what a model is called that nobody named.
func DefaultName(parent string, p palate.Profile) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, parent+"-"+string(p))
	return strings.TrimRight(name[:min(len(name), 63)], "._-")
}
