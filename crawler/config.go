package crawler

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// SiteLimits bound the requests to all hosts of one registrable domain.
type SiteLimits struct {
	Parallelism    int           // requests at a time, 1 to 64
	Delay          time.Duration // between the starts of two requests
	BytesPerSecond int64         // of all bodies together; 0 is no bound
}

// Config says who crawls, how far and how politely.
type Config struct {
	// Contact is the operator's e-mail or URL, sent with every request.
	// Without it a crawl is refused unless AllowNoContact.
	Contact        string
	AllowNoContact bool
	Agent          string // the program's name in the User-Agent, a token
	Version        string

	MaxPages      int // pages and API answers read in a round
	MaxPictures   int // pictures kept or known in a round, and brought in by all rounds of the crawl together; 0 is no bound
	MaxDepth      int // links between the seed and a page; "next page" counts nothing
	CategoryDepth int // MediaWiki subcategories below the seed's category

	MinWidth, MinHeight int            // of an upright picture, pixels
	Picture             picture.Limits // MinSide is overruled by the two above
	// Decoding is the memory to decode in, shared with whatever else decodes
	// in this process; nil is DefaultBudget for this crawl alone.
	Decoding     *picture.Budget
	MaxPageBytes int64

	Timeout       time.Duration // of silence: a request is ended when nothing comes for so long
	MaxTime       time.Duration // of one request, from its start to the end of its body
	Retries       int           // further tries after a failure that may pass
	RetryDelay    time.Duration // before the first further try; doubled for each, with jitter
	MaxRetryAfter time.Duration // what a site asks to wait longer for is left to a later run

	RespectRobots bool
	MaxCrawlDelay time.Duration // a host that asks for more is not visited

	Workers int                   // visits at a time over all sites
	Site    SiteLimits            // of each registrable domain
	Sites   map[string]SiteLimits // of some, by registrable domain or host

	// Hosts are further hosts whose pages are followed. Pages of a seed's
	// own host are; pictures may come from anywhere.
	Hosts []string
	// Cookies go along to their own hosts, with those that sites set.
	Cookies []Cookie
	// AllowPrivate lets public sites name pictures and redirects on
	// loopback and private addresses. A seed's own host always may be one.
	AllowPrivate bool
	// DistrustSeeds holds a seed's own host to public addresses too, where
	// somebody else than the operator names the seeds.
	DistrustSeeds bool
	// PrivateHosts may be on loopback and private addresses all the same, by
	// the names that addresses give them.
	PrivateHosts []string

	// Include are regular expressions of which a page's address must match
	// one to be followed; Exclude of which none may match a page's or a
	// picture's. What a person named as a seed is always taken.
	Include, Exclude []string
	// Filter are conditions, each one or several by commas, that a picture
	// must meet: "width>=1000", "aspect<2", "type=jpeg|png", "licence~CC",
	// "artist!~Anon", "year>=1800"; what is not known meets none.
	Filter []string
	// Range are the numbers of the candidates that are taken, in the order
	// in which they are met: "1-100", "50-", "7"; empty is all.
	Range string
	// Header goes along to the seeds' hosts and to Hosts.
	Header http.Header
	// Proxy is gone through instead of what the environment names.
	Proxy *url.URL
	// StopAtKnown reads no further pages after so many known pictures in a
	// row without a new one between; 0 is no end. A list that has the newest
	// first is then read as far as it is new.
	StopAtKnown int
	// EachRound lets every round of the crawl bring in MaxPictures anew.
	EachRound bool
	// DryRun fetches no picture; each that robots.txt allows is lost as
	// ReasonDryRun, and counts towards MaxPictures as one that is brought in.
	DryRun bool

	// Want is the width that is wanted of a picture, pixels: of the sizes
	// that a site has, the smallest that is no narrower is taken. 0 is the
	// largest there is.
	Want int
	// IgnoreOptOut takes pictures whose makers forbid to learn from them
	// (noai, noimageai in X-Robots-Tag or a page's meta element).
	IgnoreOptOut bool
}

// DefaultConfig is polite and lacks only the contact.
func DefaultConfig() Config {
	return Config{
		Agent: "palate", Version: "0.1",
		MaxPages: 10_000, MaxDepth: 12, CategoryDepth: 4,
		MinWidth: 200, MinHeight: 200,
		Picture:      picture.Limits{MaxBytes: 64 << 20, MaxPixels: 120_000_000, MinSide: 1},
		MaxPageBytes: 16 << 20,
		Timeout:      time.Minute, MaxTime: 30 * time.Minute, Retries: 4, RetryDelay: 2 * time.Second, MaxRetryAfter: 10 * time.Minute,
		RespectRobots: true, MaxCrawlDelay: time.Minute,
		Workers: 8, Site: SiteLimits{Parallelism: 2, Delay: 250 * time.Millisecond},
		Want: 1024,
	}
}

// Validate reports all problems at once. Each is palate.ErrInvalid.
func (c Config) Validate() error {
	var problems []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Errorf("crawler: "+format+": %w", append(args, palate.ErrInvalid)...))
		}
	}
	contact := strings.TrimSpace(c.Contact)
	wrong(contact == "" && !c.AllowNoContact, "no contact: give the e-mail or URL of whoever runs this crawl, sites ask for it")
	wrong(contact != "" && !isContact(contact), "contact %q is neither an e-mail nor a URL", c.Contact)
	wrong(!isToken(c.Agent), "agent %q is not one word", c.Agent)
	wrong(c.Version == "" || strings.ContainsAny(c.Version, " ()/\r\n"), "version %q is not one word", c.Version)
	wrong(c.MaxPages < 1, "MaxPages is %d, want at least 1", c.MaxPages)
	for name, v := range map[string]int{
		"MaxPictures": c.MaxPictures, "MaxDepth": c.MaxDepth, "CategoryDepth": c.CategoryDepth, "Retries": c.Retries,
		"MinWidth": c.MinWidth, "MinHeight": c.MinHeight, "Want": c.Want, "StopAtKnown": c.StopAtKnown,
	} {
		wrong(v < 0, "%s is %d, want 0 or more", name, v)
	}
	wrong(c.MaxPageBytes < 1, "MaxPageBytes is %d, want at least 1", c.MaxPageBytes)
	wrong(c.Timeout <= 0, "Timeout is %v, want more than 0", c.Timeout)
	wrong(c.MaxTime < c.Timeout, "MaxTime is %v, want at least Timeout, %v", c.MaxTime, c.Timeout)
	wrong(c.RetryDelay < 0 || c.MaxRetryAfter < 0 || c.MaxCrawlDelay < 0, "RetryDelay, MaxRetryAfter and MaxCrawlDelay must not be negative")
	wrong(c.Workers < 1 || c.Workers > 64, "Workers is %d, want 1 to 64", c.Workers)
	if err := c.Picture.Validate(); err != nil {
		problems = append(problems, err)
	}
	if _, err := newChoice(c); err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, c.Site.validate("Site"))
	for name, site := range c.Sites {
		problems = append(problems, site.validate("Sites["+name+"]"))
	}
	return errors.Join(problems...)
}

func (l SiteLimits) validate(name string) error {
	if l.Parallelism < 1 || l.Parallelism > 64 || l.Delay < 0 || l.BytesPerSecond < 0 {
		return fmt.Errorf("crawler: %s is %+v, want a parallelism of 1 to 64 and no negative delay or bandwidth: %w", name, l, palate.ErrInvalid)
	}
	return nil
}

func isContact(s string) bool {
	if strings.ContainsAny(s, "()\r\n") {
		return false
	}
	// Both may be given: "https://example.org/bot; me@example.org".
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
		if _, err := mail.ParseAddress(part); err == nil {
			continue
		}
		if u, err := url.Parse(part); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
			continue
		}
		return false
	}
	return true
}

func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// userAgent follows Wikimedia's form: client (contact) library.
func (c Config) userAgent() string {
	if c.Contact == "" {
		return c.Agent + "/" + c.Version + " colly/2"
	}
	return c.Agent + "/" + c.Version + " (" + strings.TrimSpace(c.Contact) + ") colly/2"
}
