package starter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/job"
)

// Crawl is what else a caller may ask of a crawl. A limit can only be narrower
// than the operator's; what is zero leaves it as it is.
type Crawl struct {
	Contact          string // of who runs it; empty is the operator's
	Want             *int   // width in pixels; 0 is the largest
	Include, Exclude []string
	Filter           []string
	Range            string
	Delay            time.Duration
	Parallel         int
	BytesPerSecond   int64
	DryRun           bool // what would come is found out, and nothing of it fetched
}

// introduce decides in whose name a crawl asks.
func (s *Starter) introduce(config *crawler.Config, contact string) error {
	switch {
	case contact != "" && (s.config.CallersContact || contact == config.Contact):
		config.Contact = contact
	case contact != "" && config.Contact != "":
		return fmt.Errorf("this server crawls with its operator's contact alone: leave contact out: %w", palate.ErrForbidden)
	case config.Contact != "":
	case s.config.CallersContact:
		return fmt.Errorf("the contact is missing: give your e-mail address or page, which sites can ask, since palate serve was given none by --contact: %w", palate.ErrInvalid)
	default:
		return fmt.Errorf("this server does not crawl for others: the operator gives a contact for it, by palate serve --contact: %w", palate.ErrForbidden)
	}
	return nil
}

// apply narrows a configuration.
func (c Crawl) apply(config *crawler.Config) {
	if c.Want != nil {
		config.Want = *c.Want
	}
	config.Include, config.Exclude, config.Filter = c.Include, c.Exclude, c.Filter
	config.Range = c.Range
	narrower := func(limits crawler.SiteLimits) crawler.SiteLimits {
		limits.Delay = max(limits.Delay, c.Delay)
		if c.Parallel > 0 {
			limits.Parallelism = min(limits.Parallelism, c.Parallel)
		}
		if c.BytesPerSecond > 0 && (limits.BytesPerSecond == 0 || c.BytesPerSecond < limits.BytesPerSecond) {
			limits.BytesPerSecond = c.BytesPerSecond
		}
		return limits
	}
	config.Site = narrower(config.Site)
	sites := make(map[string]crawler.SiteLimits, len(config.Sites))
	for name, limits := range config.Sites {
		sites[name] = narrower(limits)
	}
	config.Sites = sites
}

// Preview is what a crawl would fetch, as a dry run of it found out.
type Preview struct {
	Pages    int `json:"pages"`    // that were read
	Pictures int `json:"pictures"` // that would be fetched
	Known    int `json:"known"`    // that are in the collection already
	// BytesRead is what finding out took. How large the pictures are is known
	// when they are fetched.
	BytesRead int64     `json:"bytes_read"`
	Left      []Left    `json:"left"` // the most frequent reason first
	Examples  []Example `json:"examples"`
}

// Left are addresses that would not be fetched for one reason.
type Left struct {
	Reason   string         `json:"reason"` // as the report of a crawl has it; "page_…" are pages
	Count    int            `json:"count"`
	What     string         `json:"what"` // the reason in words
	Examples []crawler.Loss `json:"examples"`
}

// Example is a picture that would be fetched, with what is known of it before.
type Example struct {
	URL     string `json:"url"`
	Page    string `json:"page,omitempty"`
	Title   string `json:"title,omitempty"`
	Artist  string `json:"artist,omitempty"`
	Licence string `json:"licence,omitempty"`
}

// Previewed is the result of a dry run.
type Previewed struct {
	Preview Preview `json:"preview"`
}

// mostExamples are shown of the pictures that would come: the first.
const mostExamples = 12

// dryRun is the work of a dry run.
func (s *Starter) dryRun(ctx context.Context, j *job.Job, r Request, name string, config crawler.Config, seeds []crawler.Seed) (any, error) {
	looking := Progress{Stage: StageLooking}
	r.tell(ctx, j, 0, 0, looking, true)
	preview := Preview{Left: []Left{}, Examples: []Example{}}
	count := int64(0)
	report, err := s.parts.Steps.DryRunOf(ctx, name, config, seeds, func(task crawler.Task) {
		if count++; len(preview.Examples) < mostExamples {
			source := task.Source
			preview.Examples = append(preview.Examples, Example{URL: task.URL, Page: cmp.Or(source.Page, task.Referer),
				Title: source.Title, Artist: source.Artist, Licence: source.Licence})
		}
		r.tell(ctx, j, count, 0, looking, false)
	})
	preview.Pages, preview.Known, preview.BytesRead = report.Pages, report.Known, report.Bytes
	for reason, n := range report.Lost {
		if reason == crawler.ReasonDryRun {
			preview.Pictures = n
			continue
		}
		left := Left{Reason: reason, Count: n, What: LeftWords(reason), Examples: report.Examples[reason]}
		if left.Examples == nil {
			left.Examples = []crawler.Loss{}
		}
		preview.Left = append(preview.Left, left)
	}
	j.Say(ctx, "%d pages were read: %d pictures would come, %d are here.", preview.Pages, preview.Pictures, preview.Known)
	slices.SortFunc(preview.Left, func(a, b Left) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Reason, b.Reason)) })
	return Previewed{preview}, err
}

// leftReasons say why addresses are left, of those reasons that say something of
// the settings or of the site's wishes.
var leftReasons = map[string]string{
	"robots":        "robots.txt forbids them",
	"opted_out":     "their makers forbid to learn from them",
	"filtered":      "they do not meet the filter",
	"excluded":      "their addresses are excluded",
	"out_of_range":  "they are outside of the range",
	"picture_limit": "they are beyond the number of pictures",
	"limit":         "they are beyond the number of pages",
	"too_deep":      "they are too many links away",
	"deleted":       "they were deleted from the collection",
	"forbidden":     "the site refuses them",
	"too_small":     "they are too small",
	// Of what can't be reached.
	"private_address": "they are on a private address",
	"unknown_host":    "there is no such host",
	"off_site":        "they lead to another site",
	"connection":      "the site can't be reached",
	"time_out":        "the site does not answer",
}

// LeftWords are the reason in words for which a crawl leaves addresses.
func LeftWords(reason string) string {
	name, page := strings.CutPrefix(reason, "page_")
	words, ok := leftReasons[name]
	if !ok {
		words = strings.ReplaceAll(name, "_", " ")
	}
	if page {
		return "pages: " + words
	}
	return "pictures: " + words
}
