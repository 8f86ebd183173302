package starter

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/tuning"
)

// Tuning is what a caller asks of a fine-tuning. Empty texts are what the command
// line takes without the flag.
type Tuning struct {
	Model, Name     string
	Method, Augment string
	Asked           tuning.Asked // but for the method and how pictures are varied
	TokenCache      *int         // in mebibytes
	Resume          bool
}

// Contest is what a caller asks of an arena.
type Contest struct {
	Models, Methods []string
	Folds           int
	Seed            int64
	Budget          time.Duration
	Asked           tuning.Asked // epochs, batch and learning rate of what is fine-tuned
	SingleSplit     bool         // by one random split, which flatters
}

// The stages of a fine-tuning and an arena.
const (
	StageWaiting   = "waiting"   // for another one, which has the processor and the memory
	StagePreparing = "preparing" // the cost is being measured
	StageReady     = "ready"     // the cost is known
	StageFeatures  = "features"  // of the rated pictures, by a model
	StageTraining  = "training"
	StageMeasuring = "measuring" // of an arena
	StageLooking   = "looking"   // of a dry run of a crawl
)

// Progress is how a fine-tuning, an arena or a dry run goes, beside how far it is. What is
// zero is not known or belongs to another stage.
type Progress struct {
	Stage string `json:"stage"`
	Cost  *Cost  `json:"cost,omitempty"`
	// FineTune, Arena or Crawl is what was asked for (Request.Settings).
	FineTune json.RawMessage `json:"finetune,omitempty"`
	Arena    json.RawMessage `json:"arena,omitempty"`
	Crawl    json.RawMessage `json:"crawl,omitempty"`

	// Begun says that it can't begin under its name, under which another was begun
	// that can be gone on with.
	Begun bool `json:"begun,omitempty"`

	What string `json:"what,omitempty"` // of an arena: the model, and how it is taught

	Epoch            int      `json:"epoch,omitempty"`
	Epochs           int      `json:"epochs,omitempty"`
	Loss             *float64 `json:"loss,omitempty"`              // of the last step
	HeldLoss         *float64 `json:"held_loss,omitempty"`         // after the last epoch
	BalancedAccuracy *float64 `json:"balanced_accuracy,omitempty"` // after the last epoch
	PicturesASecond  float64  `json:"pictures_a_second,omitempty"`
	MemoryBytes      int64    `json:"memory_bytes,omitempty"`
	SecondsLeft      float64  `json:"seconds_left,omitempty"`
	Skipped          int      `json:"skipped,omitempty"` // steps whose gradients were not finite
}

// Cost is what a fine-tuning or an arena will take at most.
type Cost struct {
	Seconds     float64 `json:"seconds"`
	Pictures    int     `json:"pictures"`
	LeftOut     int     `json:"left_out,omitempty"` // that not every model can read
	StepSeconds float64 `json:"step_seconds,omitempty"`
	// PictureSeconds is for one picture through the model, as it is embedded.
	PictureSeconds float64 `json:"picture_seconds,omitempty"`
	MemoryBytes    int64   `json:"memory_bytes,omitempty"`
	DiskBytes      int64   `json:"disk_bytes,omitempty"`
	TokenBytes     int64   `json:"token_bytes,omitempty"`
	// Scarce says that there is less memory than it takes by its shapes.
	Scarce  bool `json:"scarce,omitempty"`
	Resumed bool `json:"resumed,omitempty"` // it goes on with one that was begun
}

// Priced is the result of a job that was to find out the cost alone.
type Priced struct {
	Cost *Cost `json:"cost"`
}

// turn waits until no other fine-tuning or arena is at work here: each takes all
// processors, and measures itself.
func (s *Starter) turn(ctx context.Context, j *job.Job, r Request) (release func(), err error) {
	select {
	case s.learning <- struct{}{}:
	default:
		r.tell(ctx, j, 0, 0, Progress{Stage: StageWaiting}, true)
		j.Say(ctx, "It waits until another fine-tuning or comparison has ended.")
		select {
		case s.learning <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r.tell(ctx, j, 0, 0, Progress{Stage: StagePreparing}, true)
	return func() { <-s.learning }, nil
}

// tell tells how the job that was asked for goes, and with it what was asked for:
// whoever finds it later can begin it, or go on with it.
func (r Request) tell(ctx context.Context, j *job.Job, done, total int64, p Progress, now bool) {
	switch r.Kind {
	case job.FineTune:
		p.FineTune = r.Settings
	case job.Arena:
		p.Arena = r.Settings
	case job.Crawl:
		p.Crawl = r.Settings
	}
	j.Tell(ctx, done, total, p, now)
}

// tuning is the work of a fine-tuning. What is wrong with its settings, and that
// ratings are too few, is said before it begins.
func (s *Starter) tuning(ctx context.Context, r Request) (work, error) {
	request, err := r.Tuning.request(r.Profile)
	if err != nil {
		return nil, err
	}
	if err := s.trainable(r.Tuning.Model); err != nil {
		return nil, err
	}
	if !request.Resume {
		if name := cmp.Or(request.Name, tuning.DefaultName(r.Tuning.Model, r.Profile)); s.parts.Steps.Known(name) == nil {
			return nil, fmt.Errorf("a model %s is there already: give the one that is made another name: %w", name, palate.ErrConflict)
		}
		if err := tuning.Enough(ctx, s.parts.Catalog, r.Profile); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, j *job.Job) (result any, err error) {
		release, err := s.turn(ctx, j, r)
		if err != nil {
			return nil, err
		}
		defer release()
		training, err := s.parts.Steps.PrepareTuning(ctx, r.Tuning.Model, request)
		if err != nil {
			if _, is := errors.AsType[*tuning.BegunError](err); is {
				r.tell(ctx, j, 0, 0, Progress{Stage: StagePreparing, Begun: true}, true)
			}
			return nil, err
		}
		defer func() { err = errors.Join(err, training.Close()) }()
		cost := costOf(training)
		r.tell(ctx, j, 0, 0, Progress{Stage: StageReady, Cost: cost}, true)
		if !r.Confirm {
			return Priced{cost}, nil
		}
		teller := &teller{request: r, job: j, cost: cost}
		trained, err := training.Train(ctx, j, func(s tuning.Status) { teller.tell(ctx, s) })
		trained.Curves = "" // a file of the server's
		if err != nil {
			return nil, err
		}
		return trained, nil
	}, nil
}

// request reads what was asked for; what can't be read or can't be is
// palate.ErrInvalid.
func (t Tuning) request(p palate.Profile) (tuning.Request, error) {
	r := tuning.Request{Profile: p, Name: t.Name, Asked: t.Asked, Resume: t.Resume}
	if t.Name != "" {
		if err := models.CheckName(t.Name); err != nil {
			return r, err
		}
	}
	if t.Method != "" {
		method, err := tuning.ParseMethod(t.Method)
		if err != nil {
			return r, err
		}
		r.Asked.Method = &method
	}
	if t.Augment != "" {
		if err := r.Asked.Vary(t.Augment); err != nil {
			return r, err
		}
	}
	if t.TokenCache != nil {
		r.KeepTokens(*t.TokenCache)
	}
	return r, r.Asked.Recipe().Config.Validate()
}

// trainable refuses a name that has no weights that a request may have trained.
func (s *Starter) trainable(model string) error {
	if model == models.Auto || model == models.Baseline {
		return fmt.Errorf("%s has no weights that can be trained: name a model of /v1/models that has; for others a training learns a probe on their embeddings: %w", model, palate.ErrInvalid)
	}
	return s.parts.Steps.Trainable(model)
}

func costOf(t *tuning.Training) *Cost {
	c := t.Cost
	return &Cost{Seconds: c.Seconds, Pictures: t.Pictures(), StepSeconds: c.StepSeconds, PictureSeconds: c.PictureSeconds, MemoryBytes: max(c.Memory, c.Planned), DiskBytes: c.Disk, TokenBytes: c.Tokens,
		Scarce: c.Available > 0 && c.Planned > c.Available, Resumed: t.Resumed()}
}

// teller keeps what the last epoch came to beside the steps of the next.
type teller struct {
	request Request
	job     *job.Job
	cost    *Cost
	stage   string
	held    *tuning.Status // when an epoch had ended
}

func (t *teller) tell(ctx context.Context, s tuning.Status) {
	p := Progress{Stage: s.Stage, Cost: t.cost, Epoch: s.Epoch, Epochs: s.Epochs, PicturesASecond: s.PicturesASecond, MemoryBytes: s.MemoryBytes,
		SecondsLeft: s.Left.Seconds(), Skipped: s.Skipped}
	now := s.Ended != nil || s.Stage != t.stage
	t.stage = s.Stage
	if s.Stage == tuning.StageFeatures {
		t.request.tell(ctx, t.job, int64(s.Done), int64(s.Pictures), p, now)
		return
	}
	if s.Ended != nil {
		t.held = &s
	}
	if s.Step > 0 {
		p.Loss = &s.Loss
	}
	if t.held != nil {
		p.HeldLoss, p.BalancedAccuracy = &t.held.Ended.HeldLoss, &t.held.Ended.BalancedAccuracy
	}
	t.request.tell(ctx, t.job, int64(s.Step), int64(s.Steps), p, now)
}

// contest is the work of an arena.
func (s *Starter) contest(ctx context.Context, r Request) (work, error) {
	config := arena.Config{Profile: r.Profile, Folds: r.Contest.Folds, Seed: r.Contest.Seed, Budget: r.Contest.Budget, Asked: r.Contest.Asked}
	for _, text := range r.Contest.Methods {
		method, err := arena.ParseMethod(text)
		if err != nil {
			return nil, err
		}
		config.Methods = append(config.Methods, method)
	}
	if err := errors.Join(config.Validate(), config.Asked.Recipe().Config.Validate()); err != nil {
		return nil, err
	}
	for _, name := range r.Contest.Models {
		if err := s.parts.Steps.Known(name); err != nil {
			return nil, err
		}
	}
	if err := tuning.Enough(ctx, s.parts.Catalog, r.Profile); err != nil {
		return nil, err
	}
	return func(ctx context.Context, j *job.Job) (any, error) {
		release, err := s.turn(ctx, j, r)
		if err != nil {
			return nil, err
		}
		defer release()
		config.Told = func(model string, done, total int) {
			r.tell(ctx, j, int64(done), int64(total), Progress{Stage: StageFeatures, What: model}, false)
		}
		contest, left, err := s.parts.Steps.Contest(ctx, r.Contest.Models, config)
		if err != nil {
			return nil, err
		}
		cost := &Cost{Seconds: contest.Estimate.Seconds(), Pictures: contest.Pictures(), LeftOut: left}
		r.tell(ctx, j, 0, 0, Progress{Stage: StageReady, Cost: cost}, true)
		if !r.Confirm {
			return Priced{cost}, nil
		}
		told := func(done, total int, what string) {
			r.tell(ctx, j, int64(done), int64(total), Progress{Stage: StageMeasuring, Cost: cost, What: what}, true)
			if what != "" {
				j.Say(ctx, "Measures %s.", what)
			}
		}
		if r.Contest.SingleSplit {
			figures, err := contest.SingleSplit(ctx, told)
			return map[string]any{"protocol": "single-split", "figures": figures, "mind": arena.Flatters}, err
		}
		report, err := contest.Run(ctx, told)
		if err != nil {
			return nil, err
		}
		return report.Brief(), nil
	}, nil
}

// ArenaOf is the report that an arena's run came to: palate.ErrNotFound if it is
// none, has not ended, or came to none.
func ArenaOf(run catalog.Run) (*arena.Report, error) {
	if run.Kind != string(job.Arena) || run.State != catalog.Succeeded {
		return nil, fmt.Errorf("job %d is no arena that has ended well: %w", run.ID, palate.ErrNotFound)
	}
	report, err := arena.ReadReport(run.Result)
	if err != nil {
		return nil, fmt.Errorf("job %d compared nothing that a page can show: %w", run.ID, palate.ErrNotFound)
	}
	return report, nil
}
