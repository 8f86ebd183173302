package crawler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gocolly/colly/v2"
	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// Crawler crawls sites into a Keeper. It is safe for concurrent use; runs of
// one name must not overlap (the caller holds a lease).
type Crawler struct {
	cfg      Config
	frontier Frontier
	keeper   Keeper
	opts     Options
}

// Options are the parts of the outside world that a crawler uses.
type Options struct {
	// DialContext replaces the dialling of the network; whoever gives one
	// decides which addresses are allowed, and no proxy is used.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Logger is told of postponed visits and failures; nil drops them.
	Logger *slog.Logger
	// Found is told of each picture that a dry run would fetch, never
	// concurrently; nil is nobody.
	Found func(Task)
	// Progress is called after every visit, never concurrently.
	Progress func(Report)
}

// New starts nothing. Its error is palate.ErrInvalid and lists all that is
// wrong with the configuration.
func New(cfg Config, frontier Frontier, keeper Keeper, opts Options) (*Crawler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if frontier == nil || keeper == nil {
		return nil, fmt.Errorf("crawler: no frontier or no keeper: %w", palate.ErrInvalid)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	// A smaller side is refused before the picture is decoded.
	cfg.Picture.MinSide = max(1, min(cfg.MinWidth, cfg.MinHeight))
	if cfg.Decoding == nil {
		cfg.Decoding = picture.NewDefaultBudget()
	}
	return &Crawler{cfg: cfg, frontier: frontier, keeper: keeper, opts: opts}, nil
}

// run is one call of Run.
type run struct {
	*Crawler
	name      string
	hosts     map[string]bool // whose pages are followed besides the page's own
	manners   *manners
	client    *http.Client // for pictures
	collector *colly.Collector
	wikis     *wikis
	cookies   *jar
	choice    *choice
	decoding  chan struct{} // one slot for each picture that is decoded at a time
	trail     *trail
	endless   *endless

	mu     sync.Mutex
	turn   *sync.Cond // on mu: a visit has ended
	report Report
	active map[Kind]int
	order  numbers

	knownInARow int // pictures, since the last new one
	added       int // pictures that all rounds of the crawl have brought in, as far as this run knows
}

// Run resumes the crawl of that name, or begins a new round from the seeds
// if nothing of it is pending, and returns when the round has ended or ctx is
// done; then what is left stays pending. The report is valid whatever the
// error: ErrNothingKept for a round without any picture, ctx's cause, or a
// failure of frontier or keeper.
func (c *Crawler) Run(ctx context.Context, name string, seeds []Seed) (Report, error) {
	began := time.Now()
	first, err := tasks(c.cfg, seeds)
	if err != nil {
		return Report{Lost: map[string]int{}}, err
	}
	r := newRun(c, name, first)
	defer r.client.CloseIdleConnections()
	progress, err := c.frontier.BeginCrawl(ctx, name, first)
	if err != nil {
		return Report{Lost: map[string]int{}}, fmt.Errorf("crawler: begin %q: %w", name, err)
	}
	r.report.begin(progress)
	r.added = progress.Added
	if progress.Resumed {
		if err := c.frontier.Retrace(ctx, name, r.retrace()); err != nil {
			return Report{Lost: map[string]int{}}, fmt.Errorf("crawler: resume %q: %w", name, err)
		}
	}
	r.order.next = r.report.Candidates
	err = r.work(ctx)
	// Others may have worked on the round too. A frontier that can't tell has
	// failed before.
	if progress, toldErr := c.frontier.CrawlProgress(context.WithoutCancel(ctx), name); toldErr == nil {
		r.mu.Lock()
		r.report.settle(progress)
		r.mu.Unlock()
	}
	report := r.snapshot()
	// What is left is what the frontier says, which others may add to.
	progress, readErr := c.frontier.CrawlProgress(context.WithoutCancel(ctx), name)
	if readErr == nil {
		report.Pending = progress.Pending
	} else if err == nil {
		err = readErr
	}
	report.Seconds, report.APIs = time.Since(began).Seconds(), r.wikis.used()
	if err != nil && (ctx.Err() == nil || report.Pending > 0) { // stopped at its end, a round has ended
		return report, fmt.Errorf("crawler: crawl %q: %w", name, err)
	}
	return report, report.Err()
}

func newRun(c *Crawler, name string, first []Task) *run {
	r := &run{
		Crawler: c, name: name, hosts: map[string]bool{}, active: map[Kind]int{},
		decoding: make(chan struct{}, decoders()), trail: newTrail(), endless: newEndless(),
	}
	r.turn = sync.NewCond(&r.mu)
	r.order.of = map[int64]int{}
	r.choice, _ = newChoice(c.cfg) // Validate has read it
	trusted := map[string]bool{}
	for _, host := range c.cfg.Hosts {
		r.hosts[withoutWWW(host)], trusted[host] = true, true
	}
	for _, t := range first {
		trusted[hostOf(t.URL)] = !c.cfg.DistrustSeeds
	}
	for _, host := range c.cfg.PrivateHosts {
		trusted[host] = true
	}
	r.wikis = &wikis{confirmed: map[string]bool{}, asked: map[string]*wikiEntry{}}
	r.manners = &manners{cfg: c.cfg, wikis: r.wikis, named: trusted, base: newTransport(c.cfg, c.opts.DialContext, trusted), sites: map[string]*site{}}
	r.cookies = newJar(c.cfg.Cookies)
	r.client = &http.Client{Transport: r.manners, CheckRedirect: r.checkRedirect, Jar: r.cookies}
	r.manners.robots = &robots{cfg: c.cfg, client: r.client, hosts: map[string]*robotsEntry{}}
	r.collector = newCollector(r)
	return r
}

// work hands pending tasks to workers until none is left.
func (r *run) work(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		ended := make(chan struct{}, r.cfg.Workers)
		busy := 0
		for {
			for len(ended) > 0 || busy == r.cfg.Workers {
				select {
				case <-ended:
					busy--
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			tasks, wait, err := r.frontier.NextTasks(ctx, r.name, r.cfg.Workers-busy)
			switch {
			case err != nil:
				return fmt.Errorf("next tasks: %w", err)
			case len(tasks) == 0 && busy == 0 && (wait <= 0 || wait > r.cfg.MaxRetryAfter):
				if wait > 0 { // left to a later run
					r.until(time.Now().Add(wait))
				}
				return nil
			case len(tasks) == 0:
				if err := await(ctx, ended, &busy, wait); err != nil {
					return err
				}
			}
			for _, task := range tasks {
				busy++
				if task.Kind == Image && r.cfg.Range != "" {
					r.number(task)
				}
				group.Go(func() error {
					defer func() { ended <- struct{}{} }()
					return r.visit(ctx, task)
				})
			}
		}
	})
	return group.Wait()
}

// await returns when a visit has ended or, if wait is positive, after it.
func await(ctx context.Context, ended <-chan struct{}, busy *int, wait time.Duration) error {
	var due <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ended:
		*busy--
	case <-due:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// result is what a visit came to: an outcome with what was found, or a
// failure. done says that the keeper has finished the task.
type result struct {
	outcome Outcome
	found   []Task
	failed  *failure
	done    bool
	picture bool // the outcome is of a picture, whatever the task was
}

// visit deals with one task. Its errors are of frontier, keeper or context.
func (r *run) visit(ctx context.Context, task Task) error {
	if refused, err := r.enter(ctx, task); err != nil || refused != nil {
		if err != nil {
			return err
		}
		res := result{outcome: Outcome{State: Lost, Reason: refused.reason, Detail: refused.detail}}
		if task.Kind != Image {
			res.found = r.giveUp(task, refused).found
		}
		return r.finish(ctx, task, res)
	}
	defer r.leave(task)
	var res result
	var err error
	switch refused := r.choice.address(task); {
	case task.Refused != "":
		res.failed = lose(task.Refused, "%s", task.URL)
	case refused != nil:
		if res.failed = refused; task.Kind == Page {
			res = r.giveUp(task, refused)
		}
	case task.Kind == Image:
		res, err = r.visitPicture(ctx, task, nil)
	case task.Kind == API:
		res, err = r.visitAPI(ctx, task)
	default:
		res, err = r.visitPage(ctx, task)
	}
	if err != nil {
		return err
	}
	if ctx.Err() != nil && !res.done {
		return context.Cause(ctx) // the task stays pending
	}
	if f := res.failed; f != nil {
		if r.mayPass(task, f) {
			return r.postpone(ctx, task, f)
		}
		res.outcome = Outcome{State: Lost, Reason: f.reason, Detail: f.detail}
		if task.Kind != Image && !res.picture {
			res.outcome.Reason = pagePrefix + f.reason
		}
	}
	return r.finish(ctx, task, res)
}

// enter counts a visit in, or says that the bounds leave no room for it. It
// waits where that depends on visits which have not ended.
func (r *run) enter(ctx context.Context, task Task) (*failure, error) {
	stop := context.AfterFunc(ctx, r.turn.Broadcast)
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		have := r.report.Kept + r.report.Known + r.report.Lost[ReasonDryRun]
		full := r.cfg.MaxPictures > 0 && have >= r.cfg.MaxPictures
		switch {
		case task.Kind == Image && full:
			return lose("picture_limit", "the crawl takes at most %d pictures", r.cfg.MaxPictures), nil
		case task.Kind != Image && full:
			return lose(pagePrefix+"picture_limit", "the crawl takes at most %d pictures", r.cfg.MaxPictures), nil
		case task.Kind != Image && r.cfg.StopAtKnown > 0 && r.knownInARow >= r.cfg.StopAtKnown:
			return lose(pagePrefix+"known", "the last %d pictures were known", r.knownInARow), nil
		case task.Kind != Image && r.report.Pages >= r.cfg.MaxPages:
			return lose(pagePrefix+"limit", "the crawl reads at most %d pages", r.cfg.MaxPages), nil
		case task.Kind == Image && r.cfg.MaxPictures > 0 && have+r.active[Image] >= r.cfg.MaxPictures,
			task.Kind != Image && r.report.Pages+r.active[Page] >= r.cfg.MaxPages:
			r.turn.Wait()
		default:
			r.active[counted(task.Kind)]++
			return nil, nil
		}
	}
}

// counted counts API answers with the pages.
func counted(k Kind) Kind {
	if k == API {
		return Page
	}
	return k
}

func (r *run) leave(task Task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active[counted(task.Kind)]--
	r.turn.Broadcast()
}

func (r *run) mayPass(task Task, f *failure) bool {
	return f.passes && (!f.held.IsZero() || task.Attempts < r.cfg.Retries && f.after <= LongestWait)
}

// number is a candidate's place in the order in which they are met.
func (r *run) number(task Task) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order.number(task)
}

// until notes when what is left may go on.
func (r *run) until(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Until = t
}

// finish records how a visit ended. What has been done is recorded even if
// the crawl is being stopped.
func (r *run) finish(ctx context.Context, task Task, res result) error {
	added := 0
	if !res.done {
		var err error
		added, err = r.frontier.FinishTask(context.WithoutCancel(ctx), r.name, task, res.outcome, res.found)
		if err != nil {
			return fmt.Errorf("finish %s: %w", task.URL, err)
		}
	}
	if res.outcome.State == Lost {
		r.opts.Logger.Debug("lost", "url", task.URL, "reason", res.outcome.Reason, "detail", res.outcome.Detail)
	}
	r.mu.Lock()
	r.report.end(task, res.outcome)
	switch res.outcome.State {
	case Known:
		r.knownInARow++
	case Kept:
		r.knownInARow = 0
		r.added++
	}
	r.report.Pending += added
	r.mu.Unlock()
	r.tell()
	return nil
}

// postpone gives a task back to be tried again later. A request that was not
// sent is no attempt.
func (r *run) postpone(ctx context.Context, task Task, f *failure) error {
	at := f.held
	if at.IsZero() {
		wait := f.after
		if wait == 0 {
			wait = backOff(r.cfg.RetryDelay, task.Attempts)
		}
		at = time.Now().Add(wait)
		task.Attempts++
	}
	r.opts.Logger.Info("visit postponed", "url", task.URL, "reason", f.reason, "attempt", task.Attempts, "until", at)
	if err := r.frontier.PostponeTask(context.WithoutCancel(ctx), r.name, task, at); err != nil {
		return fmt.Errorf("postpone %s: %w", task.URL, err)
	}
	return nil
}

func (r *run) snapshot() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := r.report.clone()
	report.Bytes = r.manners.bytes()
	return report
}

func (r *run) tell() {
	if r.opts.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	report := r.report.clone()
	report.Bytes = r.manners.bytes()
	r.opts.Progress(report)
}

var errNoCollector = errors.New("the collector gave no answer")
