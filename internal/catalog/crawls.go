package catalog

import (
	"context"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// Crawl is one crawl that is remembered: its present round.
type Crawl struct {
	Name     string
	BegunAt  time.Time // of the round
	Settings string    // JSON, as its caller gave it; empty for crawls of an older palate
	Progress crawler.Progress
	Until    time.Time // when the first of the pending tasks is due; zero is now
}

// CrawlLoss is one address that came to nothing, or a picture that is kept as
// damaged.
type CrawlLoss struct {
	ID     int64 // the cursor behind it
	Kind   crawler.Kind
	URL    string
	Reason string
	Detail string
}

// Again is what a crawl looks at once more.
type Again struct {
	Pictures int // that were lost
	Pages    int // that lead to them and are read again
}

// CrawlPictures is how far the pictures that a crawl added have come.
type CrawlPictures struct {
	Added      int // and not deleted since
	Embedded   int // by any model
	Unreadable []UnreadablePicture
}

// UnreadablePicture is a picture that no model could embed.
type UnreadablePicture struct {
	Image   palate.ImageID
	Address string // where it came from
	Reason  string
}

// Subscription is a source that is looked at again and again.
type Subscription struct {
	Name     string
	Settings string // JSON of whoever made it: the source and how it is crawled
	Every    time.Duration
	Paused   bool
	Next     time.Time // when it is due
	// Last is when it was last looked at; zero is never. Brought is how many
	// pictures that gave, Failure why it failed; empty if it did not.
	Last    time.Time
	Brought int
	Failure string
	// Quiet is how many looks in a row brought nothing.
	Quiet int
}

// Crawls is the part of the catalog about crawls and what they came to.
type Crawls interface {
	// SetCrawlSettings keeps what a crawl was begun with, to resume it. The
	// crawl is made if there is none of that name.
	SetCrawlSettings(ctx context.Context, crawl, settings string) error

	// ListCrawls gives all crawls by name.
	ListCrawls(ctx context.Context) ([]Crawl, error)

	// CrawlLosses gives the losses of the present round behind a cursor, 0 at
	// first, in the order in which the crawl met them; reason "" is any.
	CrawlLosses(ctx context.Context, crawl, reason string, after int64, limit int) ([]CrawlLoss, error)

	// TryAgain lets the present round of a crawl look for pictures again that
	// it lost for one of the reasons, as picture.FormerReasons: the losses are
	// forgotten, and the pages that led to them are pending once more, so that
	// they are found with all that is said of them. It does nothing where
	// nothing is pending, as the next round looks at everything anew, and for
	// a picture whose page the round does not have. There need be no such crawl.
	TryAgain(ctx context.Context, crawl string, reasons []string) (Again, error)

	// CrawlPictures counts what the crawl added in any round.
	CrawlPictures(ctx context.Context, crawl string) (CrawlPictures, error)

	// SharedFrontier is the frontier as the job of that run sees it. What it
	// claims belongs to the run, so that any number of runs, of this process
	// and of others, share a crawl; the end of the run, dead or alive, gives it
	// back. While other runs have claimed all that is due, NextTasks tells to
	// wait a little: they may find more.
	SharedFrontier(run int64) crawler.Frontier

	// ForgetCrawl removes a crawl with its pending tasks and its losses. The
	// pictures that it brought stay. palate.ErrNotFound if there is none,
	// palate.ErrConflict while a run has claimed of it.
	ForgetCrawl(ctx context.Context, crawl string) error

	// PutSubscription adds a subscription or changes the one of that name.
	PutSubscription(ctx context.Context, s Subscription) error

	// ListSubscriptions gives all subscriptions by name.
	ListSubscriptions(ctx context.Context) ([]Subscription, error)

	// DeleteSubscription removes one; palate.ErrNotFound if there is none.
	DeleteSubscription(ctx context.Context, name string) error
}
