package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/museum"
)

type crawlCommand struct {
	Seeds       []string `arg:"" name:"url" optional:"" help:"Where to begin: a gallery's page, a category such as https://commons.wikimedia.org/wiki/Category:Vedute, or commons:Category:Vedute."`
	Contact     string   `help:"Your e-mail address or page: sites want to know whom to ask. Goes into the User-Agent." placeholder:"ADDRESS"`
	Name        string   `help:"Name of the crawl, to go on with it later (default: the addresses it begins at)."`
	MaxPages    int      `help:"Pages to visit at most." default:"0" placeholder:"N"`
	MaxPictures int      `help:"Pictures to fetch at most." default:"0" placeholder:"N"`
	MaxDepth    int      `help:"Links to follow from the first page at most." default:"-1" placeholder:"N"`
	Input       string   `help:"A list of further addresses to begin at, or - for standard input: one on each line, or a table in CSV with a column url and others such as title, artist, date, license." placeholder:"FILE"`
	Want        string   `help:"Width of the pictures wanted, in pixels: of the sizes a site has, the smallest that is not smaller; or \"largest\"." default:"1024" placeholder:"N|largest"`
	OptedOut    bool     `help:"Take pictures although their site forbids to learn from them (noai, noimageai)." name:"opted-out"`
	Museum      string   `help:"Crawl the synthetic museum that \"palate museum\" serves at this address." placeholder:"HOST:PORT"`
	MediaWiki   bool     `help:"With --museum: crawl its MediaWiki API instead of its gallery pages." name:"mediawiki"`
}

// Run crawls and prints the funnel.
func (c *crawlCommand) Run(ctx context.Context, s *session) error {
	job, err := c.job()
	if err != nil {
		return err
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	report, err := h.crawl(ctx, job)
	if printErr := s.printFunnel(report); err == nil {
		err = printErr
	}
	h.tend(ctx)
	return errors.Join(err, h.close())
}

func (c *crawlCommand) job() (crawlJob, error) {
	job := crawlJob{name: c.Name, config: crawler.DefaultConfig()}
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
	if job.name == "" {
		job.name = strings.Join(slices.Sorted(slices.Values(names)), " ")
	}
	if c.Contact != "" {
		job.config.Contact = c.Contact
	}
	if c.MaxPages > 0 {
		job.config.MaxPages = c.MaxPages
	}
	if c.MaxPictures > 0 {
		job.config.MaxPictures = c.MaxPictures
	}
	if c.MaxDepth >= 0 {
		job.config.MaxDepth = c.MaxDepth
	}
	width, err := wantedWidth(c.Want)
	if err != nil {
		return job, err
	}
	job.config.Want, job.config.IgnoreOptOut = width, c.OptedOut
	if job.config.Contact == "" && !job.config.AllowNoContact {
		return job, usagef("--contact is missing: give your e-mail address or page, sites want to know whom to ask")
	}
	job.config.Version = version()
	if err := job.config.Validate(); err != nil {
		return job, usage(err)
	}
	return job, nil
}

// listedSeeds reads --input.
func listedSeeds(name string) (seeds []crawler.Seed, err error) {
	if name == "-" {
		return crawler.ReadAddresses(os.Stdin)
	}
	f, err := os.Open(name)
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
func (h *home) crawl(ctx context.Context, of crawlJob) (crawler.Report, error) {
	lease, err := h.catalog.AcquireLease(ctx, "crawl-"+of.name)
	if err != nil {
		return crawler.Report{}, fmt.Errorf("crawl: %w", err)
	}
	defer lease.Release()
	defer h.session.finishProgress()
	return job.Do(ctx, h.catalog, job.Crawl, "", func(ctx context.Context, j *job.Job) (crawler.Report, error) {
		of.config.Decoding = h.session.decoding
		c, err := crawler.New(of.config, h.catalog, h.collection, crawler.Options{
			DialContext: of.dial, Logger: h.session.logger,
			Progress: func(r crawler.Report) {
				h.session.progress("crawl", "img", int64(r.Kept+r.Known), int64(r.Candidates))
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
