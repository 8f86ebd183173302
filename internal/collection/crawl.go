package collection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/starter"
)

// Crawl is one crawl: what to call it, where to begin and how to behave.
type Crawl struct {
	Name   string
	Config crawler.Config
	Seeds  []crawler.Seed
	// Dial reaches the sites; nil is the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Settings are how it was begun, to resume it; empty is not kept.
	Settings string
	// Records is a file to which a line is added for each picture that is kept;
	// empty is none.
	Records string
	// Found hears of what a dry run would fetch; may be nil.
	Found func(crawler.Task)
	// added is how many pictures earlier rounds brought in, where the catalog that
	// is crawled into does not know of them.
	added int
	// Alone refuses, as palate.ErrConflict, to work on a crawl that another run
	// works on. Otherwise they share it.
	Alone bool
}

// Crawl crawls, as a job. Where another run works on the crawl of that name, of
// this process or of another, they share what is to be fetched.
func (c *Collection) Crawl(ctx context.Context, of Crawl) (report crawler.Report, err error) {
	if of.Records != "" {
		written, openErr := openRecords(of.Records)
		if openErr != nil {
			return report, openErr
		}
		defer func() { err = errors.Join(err, written.close()) }()
		return c.crawlInto(ctx, of, recordingKeeper{Keeper: c.Pictures, records: written})
	}
	return c.crawlInto(ctx, of, c.Pictures)
}

func (c *Collection) crawlInto(ctx context.Context, of Crawl, keeper crawler.Keeper) (crawler.Report, error) {
	defer c.tell.EndProgress()
	return job.Do(ctx, c.Catalog, job.Crawl, "", func(ctx context.Context, j *job.Job) (crawler.Report, error) {
		return c.crawlAs(ctx, j, of, keeper, progress(ctx, j, c.tell, "crawl", "img"))
	})
}

// CrawlAs implements starter.Steps.
func (c *Collection) CrawlAs(ctx context.Context, j *job.Job, name string, config crawler.Config, seeds []crawler.Seed) (crawler.Report, error) {
	return c.crawlAs(ctx, j, Crawl{Name: name, Config: config, Seeds: seeds}, c.Pictures, progress(ctx, j, Silent{}, "", ""))
}

// crawlAs crawls for a job that has begun.
func (c *Collection) crawlAs(ctx context.Context, j *job.Job, of Crawl, keeper crawler.Keeper, progress func(done, total int64)) (crawler.Report, error) {
	logger := j.Logger(c.logger)
	j.Say(ctx, "It crawls %s.", of.Name)
	// Whoever is first has the lease, so that the crawl is not forgotten meanwhile.
	lease, err := c.Catalog.AcquireLease(ctx, "crawl-"+of.Name)
	switch {
	case err == nil:
		defer lease.Release()
	case of.Alone || !errors.Is(err, palate.ErrConflict):
		return crawler.Report{}, fmt.Errorf("crawl: %w", err)
	default:
		logger.InfoContext(ctx, "another run is at this crawl; sharing it", "crawl", of.Name)
	}
	if err := c.LetCrawlsGoOn(ctx); err != nil {
		return crawler.Report{}, fmt.Errorf("crawl: %w", err)
	}
	of.Config.Decoding = c.config.Decoding
	if of.Settings != "" {
		if err := c.Catalog.SetCrawlSettings(ctx, of.Name, of.Settings); err != nil {
			return crawler.Report{}, err
		}
	}
	// What an earlier palate refused for a reason that this one no longer has.
	again, err := c.Catalog.TryAgain(ctx, of.Name, picture.FormerReasons())
	if err != nil {
		return crawler.Report{}, err
	}
	if again.Pictures > 0 {
		logger.InfoContext(ctx, "pictures that an earlier palate could not read are looked for again", "crawl", of.Name, "pictures", again.Pictures, "pages", again.Pages)
	}
	crawling, err := crawler.New(of.Config, begunBefore{c.Catalog.SharedFrontier(j.Run.ID), of.added}, keeper, crawler.Options{
		DialContext: of.Dial, Logger: logger, Found: of.Found,
		Progress: func(r crawler.Report) { progress(int64(r.Kept+r.Known), int64(r.Candidates)) },
	})
	if err != nil {
		return crawler.Report{}, err
	}
	report, err := crawling.Run(ctx, of.Name, of.Seeds)
	sayCrawled(ctx, j, report)
	if err == nil {
		err = report.Err()
	}
	return report, err
}

// sayCrawled tells a job's log what a crawl came to.
func sayCrawled(ctx context.Context, j *job.Job, r crawler.Report) {
	j.Say(ctx, "%d pages were read and gave %d candidates: %d came in, %d were here.", r.Pages, r.Candidates, r.Kept, r.Known)
	for _, reason := range slices.SortedFunc(maps.Keys(r.Lost), func(a, b string) int { return cmp.Or(r.Lost[b]-r.Lost[a], strings.Compare(a, b)) }) {
		example := ""
		if examples := r.Examples[reason]; len(examples) > 0 {
			example = ", such as " + examples[0].URL
		}
		j.Say(ctx, "Left out %d %s%s.", r.Lost[reason], starter.LeftWords(reason), example)
	}
	if r.Pending > 0 {
		j.Say(ctx, "%d addresses are left for the next time.", r.Pending)
	}
}

// begunBefore is the frontier of a crawl that earlier rounds, which it does not
// know of, have brought pictures in for.
type begunBefore struct {
	crawler.Frontier
	added int
}

// BeginCrawl implements crawler.Frontier.
func (f begunBefore) BeginCrawl(ctx context.Context, name string, seeds []crawler.Task) (crawler.Progress, error) {
	progress, err := f.Frontier.BeginCrawl(ctx, name, seeds)
	progress.Added += f.added
	return progress, err
}

// ForgetCrawl forgets what a crawl had still to visit and what it lost; its
// pictures stay.
func (c *Collection) ForgetCrawl(ctx context.Context, name string) error {
	if _, err := c.FindCrawl(ctx, name); err != nil {
		return err
	}
	lease, err := c.Catalog.AcquireLease(ctx, "crawl-"+name)
	if err != nil {
		return fmt.Errorf("crawl forget: %w", err)
	}
	return errors.Join(c.Catalog.ForgetCrawl(ctx, name), lease.Release())
}

// DryRunOf implements starter.Steps: a dry run that begins at the seeds, whatever
// an earlier crawl of that name has left, and knows the pictures that are here.
func (c *Collection) DryRunOf(ctx context.Context, name string, config crawler.Config, seeds []crawler.Seed, found func(crawler.Task)) (crawler.Report, error) {
	of := Crawl{Name: name, Config: config, Seeds: seeds}
	earlier, err := c.Catalog.CrawlProgress(ctx, name)
	if err != nil && !errors.Is(err, palate.ErrNotFound) {
		return crawler.Report{}, err
	}
	of.added = earlier.Added
	return dryRun(ctx, c.config, of, c.Pictures, found, Silent{}, c.logger)
}

// DryRun crawls into a collection that goes when it ends, and keeps nothing:
// found hears of each picture that would be fetched. A crawl that would fetch
// something is no failure.
func DryRun(ctx context.Context, config Config, of Crawl, found func(crawler.Task), tell Teller, logger *slog.Logger) (crawler.Report, error) {
	return dryRun(ctx, config, of, nil, found, tell, logger)
}

// dryRun is DryRun; what here has already is known to it, if it is not nil.
func dryRun(ctx context.Context, config Config, of Crawl, here crawler.Keeper, found func(crawler.Task), tell Teller, logger *slog.Logger) (report crawler.Report, err error) {
	if config.Folder, err = os.MkdirTemp("", "palate-dry-run-"); err != nil {
		return report, err
	}
	defer func() { _ = os.RemoveAll(config.Folder) }()
	config.Temporary = true
	c, err := Open(ctx, config, tell, logger)
	if err != nil {
		return report, err
	}
	of.Config.DryRun, of.Records, of.Found = true, "", found
	if here == nil {
		here = c.Pictures
	}
	report, err = c.crawlInto(ctx, of, here)
	if errors.Is(err, crawler.ErrNothingKept) && report.Lost[crawler.ReasonDryRun] > 0 {
		err = nil
	}
	return report, errors.Join(err, c.Close())
}
