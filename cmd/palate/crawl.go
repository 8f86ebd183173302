package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/regular"
)

type crawlCommand struct {
	Begin  beginCrawl  `cmd:"" default:"withargs" help:"Collect pictures: what \"palate crawl ADDRESS --contact you@example.org\" does. \"palate crawl begin --help\" shows its flags."`
	List   listCrawls  `cmd:"" help:"The crawls there have been, and how far each has come."`
	Report reportCrawl `cmd:"" help:"What a crawl came to: every loss with its address and reason."`
	Resume resumeCrawl `cmd:"" help:"Go on with a crawl as it was begun, or look for what is new."`
	Forget forgetCrawl `cmd:"" help:"Forget a crawl's frontier and losses; its pictures stay."`
}

type beginCrawl struct {
	Seeds []string `arg:"" name:"url" optional:"" help:"Where to begin: a gallery's page, a category such as https://commons.wikimedia.org/wiki/Category:Vedute, or commons:Category:Vedute." json:"seeds"`
	Input string   `help:"A list of further addresses to begin at, or - for standard input: one on each line, or a table in CSV with a column url and others such as title, artist, date, license." placeholder:"FILE" json:"input,omitempty"`
	Name  string   `help:"Name of the crawl, to go on with it later (default: the addresses it begins at)." json:"name"`

	crawlFlags `embed:""`

	DryRun    bool   `help:"Fetch and keep no picture: print the addresses that would be fetched." json:"-"`
	JSONL     string `help:"Write a line of JSON for each picture that is kept to this file: its image, address, title, artist, licence and so on." name:"jsonl" placeholder:"FILE" type:"path" json:"jsonl,omitempty"`
	Museum    string `help:"Crawl the synthetic museum that \"palate museum\" serves at this address." placeholder:"HOST:PORT" json:"museum,omitempty"`
	MediaWiki bool   `help:"With --museum: crawl its MediaWiki API instead of its gallery pages." name:"mediawiki" json:"mediawiki,omitempty"`
}

// Run crawls and prints the funnel.
func (c *beginCrawl) Run(ctx context.Context, s *session) error {
	job, err := c.job()
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.dryRun(ctx, s, job)
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	if c.JSONL != "" {
		if job.records, err = openRecords(c.JSONL); err != nil {
			return errors.Join(err, h.Close())
		}
	}
	report, err := s.crawl(ctx, h, job)
	if job.records != nil {
		err = errors.Join(err, job.records.close())
	}
	if printErr := s.printFunnel(report); err == nil {
		err = printErr
	}
	h.Tend(ctx)
	return errors.Join(err, h.Close())
}

// dryRun crawls into a collection that goes when it ends, and keeps nothing.
func (c *beginCrawl) dryRun(ctx context.Context, s *session, job crawlJob) error {
	folder, err := os.MkdirTemp("", "palate-dry-run-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	settings := *s.globals
	settings.Data = folder
	dry := *s
	dry.globals, dry.temporary = &settings, true
	h, err := openHome(ctx, &dry)
	if err != nil {
		return err
	}
	job.config.DryRun = true
	job.found = func(task crawler.Task) {
		if !s.JSON {
			s.say("%s", strings.TrimRight(task.URL+"\t"+task.Source.Title, "\t"))
		}
	}
	report, err := s.crawl(ctx, h, job)
	if errors.Is(err, crawler.ErrNothingKept) && report.Lost[crawler.ReasonDryRun] > 0 {
		err = nil
	}
	s.note("%d pages were read; %d pictures would be fetched", report.Pages, report.Lost[crawler.ReasonDryRun])
	if s.JSON {
		err = errors.Join(err, s.print(report))
	}
	return errors.Join(err, h.Close())
}

func (c *beginCrawl) job() (crawlJob, error) {
	job := crawlJob{config: crawler.DefaultConfig()}
	names := c.Seeds
	switch {
	case c.Museum != "" && len(names) > 0:
		return job, usagef("--museum and addresses do not go together")
	case c.Museum != "":
		seed, err := museumSeed(c.MediaWiki)
		if err != nil {
			return job, err
		}
		job.config, job.dial, job.seeds = museumCrawl(), museum.DialContextTo(c.Museum), []crawler.Seed{seed}
		if c.MediaWiki { // asks for a contact, as Wikimedia does
			job.config.Contact = museumContact
		}
		names = []string{seed.URL}
	case len(names) == 0 && c.Input != "":
		names = []string{c.Input}
	case len(names) == 0:
		return job, usagef("name an address to begin at, such as commons:Category:Vedute")
	}
	for _, name := range c.Seeds {
		seed, err := crawler.ParseSeed(name)
		if err != nil {
			return job, usage(err)
		}
		job.seeds = append(job.seeds, seed)
	}
	if c.Input != "" {
		listed, err := listedSeeds(c.Input)
		if err != nil {
			return job, usage(err)
		}
		job.seeds = append(job.seeds, listed...)
	}
	if c.Name == "" {
		c.Name = strings.Join(slices.Sorted(slices.Values(names)), " ")
	}
	job.name = c.Name
	if err := c.apply(&job.config, job.seeds); err != nil {
		return job, err
	}
	if job.config.Contact == "" && !job.config.AllowNoContact {
		return job, usagef("--contact is missing: give your e-mail address or page, sites want to know whom to ask")
	}
	job.config.Version = version()
	if err := job.config.Validate(); err != nil {
		return job, usage(err)
	}
	settings, err := json.Marshal(c)
	job.settings = string(settings)
	return job, err
}

// listedSeeds reads --input.
func listedSeeds(name string) (seeds []crawler.Seed, err error) {
	if name == "-" {
		return crawler.ReadAddresses(os.Stdin)
	}
	f, err := regular.Open(name)
	if errors.Is(err, palate.ErrInvalid) {
		return nil, fmt.Errorf("%w (give - to read what is piped in)", err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return crawler.ReadAddresses(f)
}

// wantedWidth reads --want.
func wantedWidth(text string) (int, error) {
	switch text {
	case "":
		return crawler.DefaultConfig().Want, nil
	case "largest":
		return 0, nil
	}
	width, err := strconv.Atoi(text)
	if err != nil || width < 1 {
		return 0, usagef("--want is %q: give a width in pixels, such as 1024, or \"largest\"", text)
	}
	return width, nil
}

// crawlJob is one crawl: what to call it, where to begin and how to behave.
type crawlJob struct {
	name   string
	config crawler.Config
	seeds  []crawler.Seed
	dial   func(ctx context.Context, network, address string) (net.Conn, error) // nil is the network

	settings string             // how it was begun, to resume it; empty is not kept
	records  *records           // where what is kept is written down; may be nil
	found    func(crawler.Task) // told of what a dry run would fetch; may be nil
}

// museumCrawl is how the synthetic museum is crawled: it is on this machine,
// so nobody needs a contact or a pause.
func museumCrawl() crawler.Config {
	config := crawler.DefaultConfig()
	config.AllowNoContact = true
	config.Version = version()
	config.Site = crawler.SiteLimits{Parallelism: 8}
	return config
}

// museumContact is whom the synthetic museum may ask: nobody.
const museumContact = "visitor@palate.test"

// museumSeed is where a crawl of the museum begins, wherever it listens.
func museumSeed(mediaWiki bool) (crawler.Seed, error) {
	m, err := museum.New(museum.DefaultConfig())
	if err != nil || !mediaWiki {
		return crawler.Seed{URL: m.GalleryURL()}, err
	}
	return crawler.MediaWikiSeed(m.CommonsAPIURL(), m.CommonsCategory())
}

// crawl crawls under a lease and records the run.
func (s *session) crawl(ctx context.Context, h *collection.Collection, of crawlJob) (crawler.Report, error) {
	lease, err := h.Catalog.AcquireLease(ctx, "crawl-"+of.name)
	if err != nil {
		return crawler.Report{}, fmt.Errorf("crawl: %w", err)
	}
	defer lease.Release()
	if err := h.LetCrawlsGoOn(ctx); err != nil {
		return crawler.Report{}, fmt.Errorf("crawl: %w", err)
	}
	defer s.finishProgress()
	return job.Do(ctx, h.Catalog, job.Crawl, "", func(ctx context.Context, j *job.Job) (crawler.Report, error) {
		of.config.Decoding = s.decoding
		if of.settings != "" {
			if err := h.Catalog.SetCrawlSettings(ctx, of.name, of.settings); err != nil {
				return crawler.Report{}, err
			}
		}
		var keeper crawler.Keeper = h.Pictures
		if of.records != nil {
			keeper = recordingKeeper{Keeper: keeper, records: of.records}
		}
		c, err := crawler.New(of.config, h.Catalog, keeper, crawler.Options{
			DialContext: of.dial, Logger: s.logger, Found: of.found,
			Progress: func(r crawler.Report) {
				s.progress("crawl", "img", int64(r.Kept+r.Known), int64(r.Candidates))
				j.Progress(ctx, int64(r.Kept+r.Known), int64(r.Candidates))
			},
		})
		if err != nil {
			return crawler.Report{}, err
		}
		report, err := c.Run(ctx, of.name, of.seeds)
		if err == nil {
			err = report.Err()
		}
		return report, err
	})
}

// printFunnel shows how many pictures came through, and why the others did
// not.
func (s *session) printFunnel(r crawler.Report) error {
	if s.JSON {
		return s.print(r)
	}
	for _, api := range r.APIs {
		s.say("%s is a MediaWiki API: it was asked by the API's own rules (your contact, one request at a time, maxlag); pages and pictures by robots.txt", api)
	}
	s.say("%d pages -> %d candidates -> %d fetched -> %d kept, %d known", r.Pages, r.Candidates, r.Fetched, r.Kept, r.Known)
	examples := make(map[string]string)
	for reason, losses := range r.Examples {
		if len(losses) > 0 {
			examples[reason] = losses[0].URL + ": " + losses[0].Detail
		}
	}
	s.printLosses(r.Lost, examples)
	if !r.Until.IsZero() {
		s.say("%d addresses wait until %s, as their site asked: run the same crawl again then", r.Pending, r.Until.Local().Format("2006-01-02 15:04"))
	}
	return nil
}

// printLosses shows the reasons, the most frequent first, with an example.
func (s *session) printLosses(lost map[string]int, examples map[string]string) {
	if len(lost) == 0 {
		return
	}
	rows := [][]string{{"LOST", "REASON", "FOR EXAMPLE"}}
	for _, reason := range byCount(lost) {
		rows = append(rows, []string{fmt.Sprint(lost[reason]), reason, shorten(examples[reason], 90)})
	}
	s.table(rows...)
}

func byCount(counts map[string]int) []string {
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	return names
}

func lostText(lost map[string]int) string {
	if len(lost) == 0 {
		return "none"
	}
	var parts []string
	for _, reason := range byCount(lost) {
		parts = append(parts, fmt.Sprintf("%d %s", lost[reason], reason))
	}
	return strings.Join(parts, ", ")
}

func joinAnd(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
