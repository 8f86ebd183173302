package collection

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/features"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/regular"
)

// CrawlSettings are how a crawl is begun. As JSON they are kept in the catalog
// with the crawl, to resume it, and with a subscription; headers are not, since
// they may hold what is secret.
type CrawlSettings struct {
	Seeds []string `json:"seeds"`
	Input string   `json:"input,omitempty"`
	Name  string   `json:"name"`

	CrawlBehaviour

	JSONL     string `json:"jsonl,omitempty"`
	Museum    string `json:"museum,omitempty"`
	MediaWiki bool   `json:"mediawiki,omitempty"`
}

// CrawlBehaviour is how a crawl behaves, as the flags of palate crawl say it.
type CrawlBehaviour struct {
	Contact     string `json:"contact,omitempty"`
	MaxPages    int    `json:"max_pages,omitempty"`
	MaxPictures int    `json:"max_pictures,omitempty"`
	MaxDepth    int    `json:"max_depth"`

	Want     string   `json:"want,omitempty"`
	Host     []string `json:"host,omitempty"`
	Include  []string `json:"include,omitempty"`
	Exclude  []string `json:"exclude,omitempty"`
	Filter   []string `json:"filter,omitempty"`
	Range    string   `json:"range,omitempty"`
	OptedOut bool     `json:"opted_out,omitempty"`

	Delay     *time.Duration `json:"delay,omitempty"`
	Parallel  int            `json:"parallel,omitempty"`
	LimitRate string         `json:"limit_rate,omitempty"`
	Site      []string       `json:"site,omitempty"`
	Retries   int            `json:"retries"`
	Timeout   time.Duration  `json:"timeout,omitempty"`
	Cookies   string         `json:"cookies,omitempty"`
	Header    []string       `json:"-"`
	Proxy     string         `json:"proxy,omitempty"`
}

// Plan reads the settings for a program of that version. It names the crawl by
// where it begins if it has no name. What can't be is an AskedError.
func (c *CrawlSettings) Plan(version string) (Crawl, error) {
	job := Crawl{Config: crawler.DefaultConfig()}
	names := c.Seeds
	switch {
	case c.Museum != "" && len(names) > 0:
		return job, askedf("--museum and addresses do not go together")
	case c.Museum != "":
		seed, err := museumSeed(c.MediaWiki)
		if err != nil {
			return job, err
		}
		job.Config, job.Dial, job.Seeds = MuseumCrawl(version), museum.DialContextTo(c.Museum), []crawler.Seed{seed}
		if c.MediaWiki { // asks for a contact, as Wikimedia does
			job.Config.Contact = museumContact
		}
		names = []string{seed.URL}
	case len(names) == 0 && c.Input != "":
		names = []string{c.Input}
	case len(names) == 0:
		return job, askedf("name an address to begin at, such as commons:Category:Vedute")
	}
	for _, name := range c.Seeds {
		seed, err := crawler.ParseSeed(name)
		if err != nil {
			return job, asked(err)
		}
		job.Seeds = append(job.Seeds, seed)
	}
	if c.Input != "" {
		listed, err := listedSeeds(c.Input)
		if err != nil {
			return job, asked(err)
		}
		job.Seeds = append(job.Seeds, listed...)
		if len(job.Seeds) == 0 {
			return job, askedf("the list %s names no address", c.Input)
		}
	}
	if c.Name == "" {
		c.Name = strings.Join(slices.Sorted(slices.Values(names)), " ")
	}
	job.Name = c.Name
	if err := c.apply(&job.Config, job.Seeds); err != nil {
		return job, err
	}
	if job.Config.Contact == "" && !job.Config.AllowNoContact {
		return job, askedf("--contact is missing: give your e-mail address or page, sites want to know whom to ask")
	}
	job.Config.Version = version
	if err := job.Config.Validate(); err != nil {
		return job, asked(err)
	}
	job.Records = c.JSONL
	settings, err := json.Marshal(c)
	job.Settings = string(settings)
	return job, err
}

// StandardInput stands for a list that is piped in.
const StandardInput = "-"

// listedSeeds reads --input.
func listedSeeds(name string) (seeds []crawler.Seed, err error) {
	if name == StandardInput {
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
	if !features.IsParquet(f) {
		return crawler.ReadAddresses(f)
	}
	err = features.Texts(name, func(row int64, names, values []string) error {
		seed, err := crawler.SeedFromRow(names, values)
		if err != nil {
			return fmt.Errorf("row %d of %s: %w", row, name, err)
		}
		seeds = append(seeds, seed)
		return nil
	})
	return seeds, err
}

// MuseumCrawl is how the synthetic museum is crawled: it is on this machine,
// so nobody needs a contact or a pause.
func MuseumCrawl(version string) crawler.Config {
	config := crawler.DefaultConfig()
	config.AllowNoContact = true
	config.Version = version
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
