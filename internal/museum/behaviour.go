package museum

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/palate-art/palate"
)

// Target says what kind of address a rule is for; targets combine by |.
type Target uint16

// The targets.
const (
	Pages      Target = 1 << iota // HTML of both sites
	Pictures                      // works' full pictures, on any host
	Thumbnails                    // works' small pictures
	Redirects                     // addresses of pictures that answer 302
	API                           // MediaWiki's API
	RobotsFile                    // robots.txt of any host
	Static                        // decoys and other small files

	// Everything is all targets but RobotsFile; a rule without a target
	// means it.
	Everything = Pages | Pictures | Thumbnails | Redirects | API | Static
)

// Fault is a way of misbehaving.
type Fault string

// The faults.
const (
	Slow            Fault = "slow"             // waits Delay, then goes on
	Trickle         Fault = "trickle"          // sends 64 pieces with Delay before each
	EndlessBody     Fault = "endless body"     // the right body, then bytes for ever
	RedirectLoop    Fault = "redirect loop"    // 302 to another address that does the same
	RedirectScheme  Fault = "redirect scheme"  // 302 to ftp://
	RedirectHost    Fault = "redirect host"    // 302 to a host outside the museum
	HTMLAsPicture   Fault = "html as picture"  // 200, image/jpeg, an error page
	PictureAsHTML   Fault = "picture as html"  // the right body as text/html
	LongLength      Fault = "long length"      // Content-Length of twice the body
	ShortLength     Fault = "short length"     // Content-Length of half the body
	Truncated       Fault = "truncated"        // the first half, of rightly stated length
	Garbage         Fault = "garbage"          // random bytes of the right length and type
	Bomb            Fault = "bomb"             // a PNG of a few bytes that says 60000×60000
	StatusOnly      Fault = "status"           // Status, with RetryAfter if set
	ConnectionReset Fault = "connection reset" // TCP reset after half of the body
)

var allFaults = []Fault{
	Slow, Trickle, EndlessBody, RedirectLoop, RedirectScheme, RedirectHost, HTMLAsPicture, PictureAsHTML,
	LongLength, ShortLength, Truncated, Garbage, Bomb, StatusOnly, ConnectionReset,
}

// Rule applies one fault to some addresses.
type Rule struct {
	Fault   Fault
	Targets Target // 0 is Everything

	Works    []int   // only addresses of these works; empty is any address
	Fraction float64 // this share of the addresses, chosen by their hash; 0 is all
	First    int     // only the first so many requests of an address; 0 is always

	Delay      time.Duration // of Slow and Trickle
	Status     int           // of StatusOnly
	RetryAfter time.Duration // of StatusOnly, in whole seconds; 0 sends none
	RetryDate  bool          // sends Retry-After as a date instead
}

// Robots changes robots.txt of all hosts.
type Robots struct {
	Disallow   []string      // further paths
	CrawlDelay time.Duration // 0 is none
	Status     int           // answers with this instead; 0 is 200
	Body       string        // replaces everything if not empty
}

// Behaviour says how the museum misbehaves. The zero value does not.
type Behaviour struct {
	// Rules are tried in order. Slow goes on to the next rule; any other
	// fault that applies ends the request.
	Rules  []Rule
	Robots Robots

	// EndlessPages lets the calendar go on for ever, twelve links on every
	// page. Otherwise it is one year that closes on itself.
	EndlessPages bool

	// Wiki changes where MediaWiki's API is.
	Wiki WikiGuise

	// Maxlag answers the first so many API requests that have a maxlag
	// parameter with that error, HTTP 200 and Retry-After.
	Maxlag           int
	MaxlagRetryAfter time.Duration // in whole seconds; 0 is 5 s
}

// Validate reports all problems at once. Each is palate.ErrInvalid.
func (b Behaviour) Validate() error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("museum: "+format+": %w", append(args, palate.ErrInvalid)...))
	}
	for i, r := range b.Rules {
		if !slices.Contains(allFaults, r.Fault) {
			wrong("rule %d: unknown fault %q", i, r.Fault)
		}
		if !(r.Fraction >= 0 && r.Fraction <= 1) {
			wrong("rule %d: fraction %g, want 0 to 1", i, r.Fraction)
		}
		if r.First < 0 || r.Delay < 0 || r.RetryAfter < 0 {
			wrong("rule %d: negative First, Delay or RetryAfter", i)
		}
		if r.Fault == StatusOnly && (r.Status < 400 || r.Status > 599) {
			wrong("rule %d: status %d, want 400 to 599", i, r.Status)
		}
	}
	if s := b.Robots.Status; s != 0 && (s < 200 || s > 599) {
		wrong("robots.txt status %d, want 0 or 200 to 599", s)
	}
	if b.Robots.CrawlDelay < 0 || b.Maxlag < 0 || b.MaxlagRetryAfter < 0 {
		wrong("negative CrawlDelay, Maxlag or MaxlagRetryAfter")
	}
	return errors.Join(problems...)
}

// faults holds the present behaviour and what it has counted.
type faults struct {
	mu     sync.Mutex
	now    Behaviour
	seen   []map[string]int // of each rule with First: requests by address
	lagged int
}

func newFaults(b Behaviour) *faults {
	f := new(faults)
	f.set(b)
	return f
}

func (f *faults) set(b Behaviour) {
	b.Rules, b.Robots.Disallow = slices.Clone(b.Rules), slices.Clone(b.Robots.Disallow)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now, f.lagged = b, 0
	f.seen = make([]map[string]int, len(b.Rules))
}

func (f *faults) behaviour() Behaviour {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// apply gives the rules for one request: any number of Slow, then at most
// one other.
func (f *faults) apply(target Target, work int, address string) []Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Rule
	for i, r := range f.now.Rules {
		if !r.matches(target, work, address) {
			continue
		}
		if r.First > 0 {
			if f.seen[i] == nil {
				f.seen[i] = make(map[string]int)
			}
			if f.seen[i][address]++; f.seen[i][address] > r.First {
				continue
			}
		}
		out = append(out, r)
		if r.Fault != Slow {
			break
		}
	}
	return out
}

func (r Rule) matches(target Target, work int, address string) bool {
	targets := r.Targets
	if targets == 0 {
		targets = Everything
	}
	if targets&target == 0 || len(r.Works) > 0 && !slices.Contains(r.Works, work) {
		return false
	}
	if r.Fraction == 0 {
		return true
	}
	h := fnv.New64a()
	h.Write([]byte(string(r.Fault) + " " + address))
	// FNV's high bits hardly depend on the last bytes; spread them.
	sum := h.Sum64()
	sum = (sum ^ sum>>33) * 0xff51afd7ed558ccd
	return float64(sum>>11)/(1<<53) < r.Fraction
}

// lag reports whether an API request is to be told to wait, and how long.
func (f *faults) lag() (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lagged >= f.now.Maxlag {
		return 0, false
	}
	f.lagged++
	if f.now.MaxlagRetryAfter > 0 {
		return f.now.MaxlagRetryAfter, true
	}
	return 5 * time.Second, true
}
