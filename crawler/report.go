package crawler

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ErrNothingKept: a crawl read its pages and no picture is in the collection
// for it.
var ErrNothingKept = errors.New("no picture was kept")

// Report is the funnel of a crawl's round, from its beginning to now.
//
// Once a round has ended, Candidates = Kept + Known + the losses whose
// reason does not begin with "page_"; before, Pending tasks are left.
type Report struct {
	Pages      int            `json:"pages"`             // pages and API answers read
	Candidates int            `json:"candidates"`        // pictures that have been dealt with
	Fetched    int            `json:"fetched"`           // pictures that this run has downloaded whole
	Kept       int            `json:"kept"`              // by this run
	Damaged    int            `json:"damaged,omitempty"` // of the kept ones, those that came cut and can be shown
	Known      int            `json:"known"`             // had by another run, or an earlier part of this round
	Lost       map[string]int `json:"lost"`              // by reason; "page_…" are pages

	Pending int   `json:"pending"` // pages and pictures still to be visited
	Resumed bool  `json:"resumed"` // an earlier run began this round
	Round   int   `json:"round"`
	Bytes   int64 `json:"bytes"` // downloaded by this run
	// Seconds are this run's.
	Seconds float64 `json:"seconds"`
	// Until is when the pending ones may go on, where a site asked for a
	// wait that is longer than a run lasts; zero otherwise.
	Until time.Time `json:"until,omitzero"`
	// APIs are the MediaWiki APIs that this run used: they were asked by
	// the rules of their own policy, pages and pictures by robots.txt.
	APIs []string `json:"apis,omitempty"`
	// Examples are up to three losses of each reason in this run.
	Examples map[string][]Loss `json:"examples,omitempty"`
}

// Loss is one candidate or page that came to nothing.
type Loss struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

const examplesPerReason = 3

// ReasonDamaged is the outcome's of a picture that is kept though it is cut.
const ReasonDamaged = "damaged"

// ReasonDryRun is why a dry run keeps nothing.
const ReasonDryRun = "dry_run"

// pagePrefix begins the reasons of pages and API answers.
const pagePrefix = "page_"

// isPageReason tells the losses of pages from those of pictures.
func isPageReason(reason string) bool { return strings.HasPrefix(reason, pagePrefix) }

// begin takes over what earlier runs of the round did.
func (r *Report) begin(p Progress) {
	r.Resumed, r.Round, r.Pending, r.Pages = p.Resumed, p.Round, p.Pending, p.Pages
	r.Known = p.Known + p.Kept
	r.Candidates = r.Known
	r.Lost, r.Examples = map[string]int{}, map[string][]Loss{}
	for reason, n := range p.Lost {
		r.Lost[reason] = n
		if !isPageReason(reason) {
			r.Candidates += n
		}
	}
}

// settle takes over where the round stands: what others kept of it is known to
// this run.
func (r *Report) settle(p Progress) {
	r.Pages, r.Pending, r.Known = p.Pages, p.Pending, p.Known+p.Kept-r.Kept
	r.Lost = maps.Clone(p.Lost)
	r.Candidates = p.Known + p.Kept
	for reason, n := range p.Lost {
		if !isPageReason(reason) {
			r.Candidates += n
		}
	}
}

// end counts a task that has ended.
func (r *Report) end(task Task, o Outcome) {
	r.Pending--
	if task.Kind == Image || o.State == Kept || o.State == Known || o.State == Lost && !isPageReason(o.Reason) {
		r.Candidates++ // some addresses do not show that they are a picture's
	}
	switch o.State {
	case Visited:
		r.Pages++
	case Kept:
		r.Kept++
		if o.Reason == ReasonDamaged {
			r.Damaged++
		}
	case Known:
		r.Known++
	case Lost:
		r.Lost[o.Reason]++
		if len(r.Examples[o.Reason]) < examplesPerReason {
			r.Examples[o.Reason] = append(r.Examples[o.Reason], Loss{URL: task.URL, Detail: o.Detail})
		}
	}
}

func (r Report) clone() Report {
	r.Lost = maps.Clone(r.Lost)
	r.Examples = maps.Clone(r.Examples)
	return r
}

// Err is ErrNothingKept, with where the candidates went, if the round has
// neither kept nor known a picture; otherwise nil.
func (r Report) Err() error {
	if r.Kept+r.Known > 0 {
		return nil
	}
	text := fmt.Sprintf("%d pages were read and gave %d candidates", r.Pages, r.Candidates)
	if !r.Until.IsZero() {
		text += fmt.Sprintf("; %d addresses wait until %s, as their site asked: run the same crawl again then", r.Pending, r.Until.Format(time.RFC3339))
	}
	if len(r.Lost) == 0 {
		if r.Pages > 0 {
			text += "; the pages name no pictures: is the address a gallery, and are its pictures drawn by scripts?"
		}
		return fmt.Errorf("crawler: %s: %w", text, ErrNothingKept)
	}
	var lost []string
	for _, reason := range slices.SortedFunc(maps.Keys(r.Lost), func(a, b string) int {
		if r.Lost[a] != r.Lost[b] {
			return r.Lost[b] - r.Lost[a]
		}
		return strings.Compare(a, b)
	}) {
		entry := fmt.Sprintf("%d %s", r.Lost[reason], reason)
		if examples := r.Examples[reason]; len(examples) > 0 {
			entry += fmt.Sprintf(" (such as %s: %s)", examples[0].URL, examples[0].Detail)
		}
		lost = append(lost, entry)
	}
	return fmt.Errorf("crawler: %s; lost: %s: %w", text, strings.Join(lost, ", "), ErrNothingKept)
}
