package crawler

import (
	"context"
	"time"

	"github.com/palate-art/palate"
)

// Kind says what an address is expected to be.
type Kind string

// The kinds of task.
const (
	Page  Kind = "page"  // an HTML page, read for links and pictures
	API   Kind = "api"   // a MediaWiki API request
	Image Kind = "image" // a picture to fetch and keep
)

// Task is one address that a crawl has still to visit, or has visited.
type Task struct {
	ID      int64 // given by the frontier; 0 before
	Kind    Kind
	URL     string // canonical; a crawl visits each (Kind, Key()) once a round
	Referer string
	// Refused says why the address is not asked for, and is the reason of the
	// loss that it ends as; it is counted once a round like any other.
	Refused  string
	Depth    int // pages between this address and the seed; a picture has its page's
	Attempts int // visits that came to a request and ended in Postpone

	// NotBefore is when the task may be tried again; zero is now.
	NotBefore time.Time

	// Source is what is known of a picture before it is fetched.
	Source palate.Source
	// Alternatives are further addresses of the same picture, tried in
	// order when URL fails.
	Alternatives []string

	// Leads are the pictures that linked to a page and were left to it.
	Leads []Lead
	// For is the picture that linked to the page which shows this one, where
	// nothing but the link says that they are the same.
	For *Stand
}

// Key is the address without what names a visit, such as a session. An address
// that is refused is told from itself where it is not, and by the reason.
func (t Task) Key() string {
	if t.Refused != "" {
		return visitKey("refused:" + t.Refused + ":" + t.URL)
	}
	return visitKey(t.URL)
}

// Outcome is how a visit ended.
type Outcome struct {
	State  State
	Reason string // of a loss: a short word such as "too_small"; of a kept picture "damaged", or empty
	Detail string // of a loss, for people
	Shown  string // of a page that was read: what it showed, for the leads that come to it later
	Gave   Gave   // of a page that was read
}

// State is where a task stands.
type State string

// The states of a task. Pending tasks survive a killed process.
const (
	Pending State = "pending"
	Visited State = "visited" // a page or API answer was read
	Kept    State = "kept"    // a picture was stored by this round
	Known   State = "known"   // a picture that an earlier run had kept; not fetched, or fetched and found to be the same
	Lost    State = "lost"    // given up, with a reason
)

// Progress counts the tasks of a crawl's present round.
type Progress struct {
	Resumed bool // the round was begun by an earlier run
	Round   int
	Pending int
	Pages   int            // visited pages and API answers
	Kept    int            // pictures kept, by this run or an earlier one of the round
	Known   int            // pictures known when the round reached them
	Lost    map[string]int // pictures and pages given up, by reason
	Added   int            // pictures that any round of the crawl brought in and that are there
}

// Step is a page that the present round of a crawl has met, as far as whoever
// goes on with the round has to know of it.
type Step struct {
	URL, Referer string
	State        State
	Gave         Gave // as its Outcome said
}

// Gave says what a page was good for.
type Gave string

// What a page can give.
const (
	GavePictures Gave = ""        // it showed a picture, or nobody asked
	GaveLinks    Gave = "links"   // it showed none, and led to something new
	GaveNothing  Gave = "nothing" // neither
)

// Frontier keeps the tasks of crawls, durably. One process works on one
// crawl at a time (the caller holds a lease); its goroutines may call
// concurrently. Every method commits before it returns, so that a killed
// crawl repeats only the visits that had not ended.
type Frontier interface {
	// BeginCrawl resumes the crawl of that name if tasks are pending, else
	// begins a new round with the seeds. Claims of an earlier process are
	// forgotten: its unfinished tasks are pending again.
	BeginCrawl(ctx context.Context, crawl string, seeds []Task) (Progress, error)

	// NextTasks claims up to limit pending tasks whose NotBefore has come,
	// oldest first, pictures before pages of the same age. No tasks and a
	// positive wait mean that others become due after it; no tasks and no
	// wait mean that all that is left is claimed, or nothing is left.
	NextTasks(ctx context.Context, crawl string, limit int) (tasks []Task, wait time.Duration, err error)

	// FinishTask records the outcome of a claimed task and adds what the
	// visit found, in one commit. Found tasks that the round has already
	// seen are passed over, but for what they carry: FoundAgain says what
	// becomes of a page's Leads and of a picture's For. Leads that came to
	// the task itself after it was claimed are found again after what it
	// found, with its outcome. added says how many tasks were new.
	FinishTask(ctx context.Context, crawl string, task Task, outcome Outcome, found []Task) (added int, err error)

	// PostponeTask gives a claimed task back, to be tried again at
	// notBefore, with the attempts that the task has now.
	PostponeTask(ctx context.Context, crawl string, task Task, notBefore time.Time) error

	// Retrace gives every page and API request of the present round, the
	// oldest first, so that a run which resumes it knows what the runs
	// before it did. It ends with visit's error, if any.
	Retrace(ctx context.Context, crawl string, visit func(Step) error) error

	// CrawlProgress counts the present round.
	CrawlProgress(ctx context.Context, crawl string) (Progress, error)
}

// Standing says what earlier runs made of an address.
type Standing string

// The standings of an address.
const (
	StandingNew     Standing = ""        // never kept
	StandingKept    Standing = "kept"    // an image of the collection came from there
	StandingDeleted Standing = "deleted" // an image from there was deleted and stays away
)

// Find is a validated picture on its way into the collection.
type Find struct {
	Content       []byte // the file as fetched
	Format        string // as internal/picture names it: "jpeg", "png", …
	Width, Height int    // upright, pixels
	Decoded       bool   // all of it, so that Damage is known
	Damage        string // what is missing of one that came cut twice and can be shown all the same, in a sentence
	Most          int    // pictures that its crawl may bring in over all its rounds; 0 is no bound
	Source        palate.Source
}

// Keeping is what became of a find.
type Keeping string

// What can become of a find.
const (
	KeptNew       Keeping = "kept"      // a new image
	KeptKnown     Keeping = "known"     // an earlier run had kept the same file
	KeptDuplicate Keeping = "duplicate" // this run has kept the same file from another address; the source was added
	KeptDeleted   Keeping = "deleted"   // the file was deleted with a reason and stays away

	// KeptTooMany: the file is new, and the crawl has as many as it may.
	KeptTooMany Keeping = "picture_limit"
)

// Keeper takes what a crawl finds. It is safe for concurrent use.
type Keeper interface {
	// Standing tells what is known of each address, in the order asked.
	Standing(ctx context.Context, addresses []string) ([]Standing, error)

	// Keep stores the picture and its source and finishes the task (Kept,
	// Known or Lost, as the keeping says), all in one commit of the
	// catalog; the file is durable before that commit.
	Keep(ctx context.Context, crawl string, task Task, find Find) (Keeping, palate.ImageID, error)
}
