// Package starter starts jobs that a caller of the API asks for, and runs them
// in the server.
//
// The API is open to whoever reaches the server, so a request opens nothing that
// the operator did not: an import reads below the folders that were named for it,
// whatever symbolic links lie there; a crawl visits public addresses, and private
// hosts that were named, by seeds, links and redirects alike, and introduces
// itself with the operator's contact, or the caller's where that is allowed; a
// backup goes into the one folder that was named for it; an embedding names a model that palate knows or that the operator
// added; no request names another file, an address of a model, or a device.
package starter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/internal/tuning"
	"github.com/palate-art/palate/internal/verify"
	"github.com/palate-art/palate/internal/works"
)

const (
	// maxRunning is how many jobs run at a time: crawls mostly wait, and the
	// rest shares the machine.
	maxRunning = 4
	// maxWaiting is how many more may have begun and wait for their turn.
	maxWaiting = 16
)

// Parts are what jobs work on. All are needed.
type Parts struct {
	Catalog catalog.Catalog
	Tastes  *taste.Tastes
	Steps   Steps
}

// Steps do the work of jobs that have begun, as for whoever else asks for it.
// internal/collection has them.
type Steps interface {
	// CrawlAs crawls, or goes on with the crawl of that name.
	CrawlAs(ctx context.Context, j *job.Job, name string, config crawler.Config, seeds []crawler.Seed) (crawler.Report, error)
	// DryRunOf finds out what a crawl would fetch, and fetches none of it; found
	// hears of each picture, one at a time.
	DryRunOf(ctx context.Context, name string, config crawler.Config, seeds []crawler.Seed, found func(crawler.Task)) (crawler.Report, error)
	// ImportAs takes files in.
	ImportAs(ctx context.Context, j *job.Job, files ingest.Import) (ingest.ImportReport, error)
	// EmbedAs embeds what is not embedded yet, with retry also what could not be.
	EmbedAs(ctx context.Context, j *job.Job, retry bool) (ingest.EmbedReport, error)
	// PassAs embeds the collection with the model of that name, or without a name
	// with the present one by the present preprocessing rules, and lets it serve.
	PassAs(ctx context.Context, j *job.Job, model string) (report any, err error)
	// Known is palate.ErrNotFound for a name that is no known or added model's.
	Known(model string) error
	// Trainable is Known, and palate.ErrInvalid for a model of which it is known, without
	// reading its weights, that they can't be fine-tuned.
	Trainable(model string) error
	// Choices are the models that PassAs may be asked for.
	Choices(ctx context.Context) (Choices, error)
	// ReindexAs fills the index anew and tells how many points it has.
	ReindexAs(ctx context.Context, j *job.Job) (Indexed, error)
	// VerifyAs holds the parts of the collection against each other.
	VerifyAs(ctx context.Context, j *job.Job, config verify.Config) (verify.Result, error)
	// MapAs lays the collection out on a plane.
	MapAs(ctx context.Context, j *job.Job) (atlas.Made, error)
	// CopiesAs looks for pictures that show one work.
	CopiesAs(ctx context.Context, j *job.Job) (works.Report, error)
	// BackupAs backs the collection up into a folder.
	BackupAs(ctx context.Context, j *job.Job, folder string, options backup.Options) (backup.Summary, error)
	// PrepareTuning makes a fine-tuning of the model of that name ready, and
	// measures what it will cost.
	PrepareTuning(ctx context.Context, model string, request tuning.Request) (*tuning.Training, error)
	// Contest makes a contest of models ready, and measures what it will cost; left
	// is how many rated pictures not every model can read.
	Contest(ctx context.Context, models []string, config arena.Config) (contest *arena.Contest, left int, err error)
}

// Indexed is the result of filling the index.
type Indexed struct {
	Points int `json:"points"`
}

// Words say it to a person.
func (i Indexed) Words() string { return fmt.Sprintf("The index has %d points.", i.Points) }

// Config says what the operator opened.
type Config struct {
	// ImportRoots are the folders below which imports may read; none allows
	// no import.
	ImportRoots []string
	// Crawler is how crawls behave. Without a contact none is allowed, but for
	// those with a contact of the caller's own where CallersContact allows them.
	Crawler        crawler.Config
	CallersContact bool
	// BackupFolder is where backups go; empty allows none. Of Backup the program
	// and how many backups stay are used.
	BackupFolder string
	Backup       backup.Options
}

// DefaultConfig opens nothing.
func DefaultConfig() Config { return Config{Crawler: crawler.DefaultConfig()} }

// Request is what a caller asks for. What does not belong to the kind must be
// zero.
type Request struct {
	Kind    job.Kind
	Profile palate.Profile // who trains; whose verdicts an import brings

	// Of a crawl.
	Seeds                 []string
	Name                  string
	MaxPages, MaxPictures int  // 0 is the operator's bound
	MaxDepth              *int // nil is the operator's
	Crawl                 *Crawl

	// Of an import.
	Path    string
	Verdict palate.Verdict

	// Of an embedding.
	Retry   bool
	Model   string // to embed the collection with from now on; empty is the one that serves
	Upgrade bool   // the one that serves, by the present preprocessing rules

	Deep           bool // of a verification or a backup: every file is read
	Repair         bool // of a verification
	WithReferenced bool // of a backup

	Tuning  *Tuning  // of a fine-tuning
	Contest *Contest // of an arena
	// Settings are what the caller gave as either, or of a dry run, as it gave them;
	// they are told beside how the job goes.
	Settings json.RawMessage
	// Confirm says of both that the cost is agreed to; without it they find out
	// what it is, and end.
	Confirm bool
}

// Starter starts jobs; Run works on them.
type Starter struct {
	parts   Parts
	config  Config
	logger  *slog.Logger
	waiting chan order
	// learning is held by the one fine-tuning or arena that is at work.
	learning chan struct{}
}

// work is what a job does; its error ends it as failed.
type work func(ctx context.Context, j *job.Job) (result any, err error)

type order struct {
	job  *job.Job
	work work
}

// New returns a Starter that works on nothing before Run is called.
func New(parts Parts, config Config, logger *slog.Logger) *Starter {
	return &Starter{parts: parts, config: config, logger: logger, waiting: make(chan order, maxWaiting), learning: make(chan struct{}, 1)}
}

// Start begins a job and leaves the rest of it to Run. palate.ErrForbidden if
// the operator did not open what is asked for, palate.ErrInvalid if it can't
// be, palate.ErrUnavailable if too many jobs are waiting.
func (s *Starter) Start(ctx context.Context, r Request) (catalog.Run, error) {
	if err := r.validate(); err != nil {
		return catalog.Run{}, err
	}
	if r.Kind == job.Train {
		return s.parts.Tastes.Enqueue(ctx, r.Profile)
	}
	work, err := s.workOf(ctx, r)
	if err != nil {
		return catalog.Run{}, err
	}
	if len(s.waiting) == maxWaiting { // without a row for what can't be done
		return catalog.Run{}, tooMany()
	}
	j, err := job.Begin(ctx, s.parts.Catalog, r.Kind, r.Profile)
	if err != nil {
		return catalog.Run{}, err
	}
	select {
	case s.waiting <- order{j, work}:
		return j.Run, nil
	default:
		full := tooMany()
		return catalog.Run{}, errors.Join(full, j.End(ctx, catalog.Cancelled, nil, full))
	}
}

func tooMany() error {
	return fmt.Errorf("%d jobs are waiting for their turn already: %w", maxWaiting, palate.ErrUnavailable)
}

func (r Request) validate() error {
	var problems []error
	only := func(given bool, field string, kinds ...job.Kind) {
		if given && !slices.Contains(kinds, r.Kind) {
			problems = append(problems, fmt.Errorf("%s goes with %s, not with %s: %w", field, among(kinds), r.Kind, palate.ErrInvalid))
		}
	}
	only(len(r.Seeds) > 0, "seeds", job.Crawl)
	only(r.Name != "", "name", job.Crawl)
	only(r.MaxPages > 0 || r.MaxPictures > 0 || r.MaxDepth != nil, "a bound of pages, pictures or depth", job.Crawl)
	only(r.Crawl != nil, "a contact, a dry run or another limit of a crawl", job.Crawl)
	only(r.Path != "", "path", job.Import)
	only(r.Verdict != "", "verdict", job.Import)
	only(r.Retry, "retry", job.Embed)
	only(r.Model != "", "model", job.Embed)
	only(r.Upgrade, "upgrade", job.Embed)
	only(r.Deep, "deep", job.Verify, job.Backup)
	only(r.Repair, "repair", job.Verify)
	only(r.WithReferenced, "with_referenced", job.Backup)
	only(r.Tuning != nil, "finetune", job.FineTune)
	only(r.Contest != nil, "arena", job.Arena)
	only(r.Confirm, "confirm", job.FineTune, job.Arena)
	switch {
	case r.Kind == job.Crawl && len(r.Seeds) == 0:
		problems = append(problems, fmt.Errorf("a crawl needs seeds, such as commons:Category:Vedute: %w", palate.ErrInvalid))
	case r.Kind == job.Import && r.Path == "":
		problems = append(problems, fmt.Errorf("an import needs a path: %w", palate.ErrInvalid))
	case r.Verdict == palate.Skip:
		problems = append(problems, fmt.Errorf("an import likes or dislikes its pictures, or says nothing of them: %w", palate.ErrInvalid))
	case r.Kind == job.Train && r.Profile == "":
		problems = append(problems, fmt.Errorf("a training needs a profile: %w", palate.ErrInvalid))
	case r.Kind == job.FineTune && (r.Profile == "" || r.Tuning == nil):
		problems = append(problems, fmt.Errorf("a fine-tuning needs a profile, and finetune with the model to train: %w", palate.ErrInvalid))
	case r.Kind == job.Arena && (r.Profile == "" || r.Contest == nil):
		problems = append(problems, fmt.Errorf("an arena needs a profile, and arena with the models that take part: %w", palate.ErrInvalid))
	}
	return errors.Join(append(problems, r.validatePassing()...)...)
}

// among names kinds.
func among(kinds []job.Kind) string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	return strings.Join(names, " and ")
}

func (s *Starter) workOf(ctx context.Context, r Request) (work, error) {
	switch r.Kind {
	case job.Crawl:
		return s.crawl(r)
	case job.Import:
		return s.importing(ctx, r)
	case job.Embed:
		if r.Model != "" || r.Upgrade {
			return s.passing(r)
		}
		return func(ctx context.Context, j *job.Job) (any, error) { return s.parts.Steps.EmbedAs(ctx, j, r.Retry) }, nil
	case job.Reindex:
		return func(ctx context.Context, j *job.Job) (any, error) { return s.parts.Steps.ReindexAs(ctx, j) }, nil
	case job.Verify:
		config := verify.DefaultConfig()
		config.Deep, config.Repair = r.Deep, r.Repair
		return func(ctx context.Context, j *job.Job) (any, error) { return s.parts.Steps.VerifyAs(ctx, j, config) }, nil
	case job.Map:
		return func(ctx context.Context, j *job.Job) (any, error) { return s.parts.Steps.MapAs(ctx, j) }, nil
	case job.Copies:
		return func(ctx context.Context, j *job.Job) (any, error) { return s.parts.Steps.CopiesAs(ctx, j) }, nil
	case job.Backup:
		return s.backup(r)
	case job.FineTune:
		return s.tuning(ctx, r)
	case job.Arena:
		return s.contest(ctx, r)
	}
	return nil, fmt.Errorf("a job of the kind %q is not started here: %w", r.Kind, palate.ErrInvalid)
}

// backup goes to the operator's folder and nowhere else.
func (s *Starter) backup(r Request) (work, error) {
	if s.config.BackupFolder == "" {
		return nil, fmt.Errorf("this server makes no backups for others: the operator names a folder for them, by palate serve --backup-folder: %w", palate.ErrForbidden)
	}
	options := s.config.Backup
	options.Deep, options.WithReferenced = r.Deep, r.WithReferenced
	return func(ctx context.Context, j *job.Job) (any, error) {
		return s.parts.Steps.BackupAs(ctx, j, s.config.BackupFolder, options)
	}, nil
}

// Run works on the jobs until ctx is done, then ends those that wait as
// cancelled, and returns ctx's error.
func (s *Starter) Run(ctx context.Context) error {
	group, working := errgroup.WithContext(ctx)
	for range maxRunning {
		group.Go(func() error {
			for {
				select {
				case <-working.Done():
					return working.Err()
				case o := <-s.waiting:
					s.do(working, o)
				}
			}
		})
	}
	err := group.Wait()
	ending := context.WithoutCancel(ctx)
	for {
		select {
		case o := <-s.waiting:
			err = errors.Join(err, o.job.End(ending, catalog.Cancelled, nil, errors.New("the server stopped")))
		default:
			return err
		}
	}
}

func (s *Starter) do(ctx context.Context, o order) {
	err := o.job.Do(ctx, func(ctx context.Context) (any, error) { return o.work(ctx, o.job) })
	if err != nil && ctx.Err() == nil && !errors.Is(err, job.ErrCancelled) {
		s.logger.WarnContext(ctx, "job failed", "job", o.job.Run.ID, "kind", o.job.Run.Kind, "error", err)
	}
}
