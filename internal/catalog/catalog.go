// Package catalog says what palate remembers: images with their sources,
// ratings by profile, embeddings by model, the crawl frontier, probes and
// runs. The catalog is the source of truth; an index, a filter or a thumbnail
// is derived from it and can be rebuilt.
//
// catalog/sqlite is the implementation on one machine; every implementation
// passes catalogtest.
package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/index"
)

// ErrFull says that the disk of the catalog has no space for a write. It is
// palate.ErrUnavailable.
var ErrFull = fmt.Errorf("no space is left: %w", palate.ErrUnavailable)

// Catalog is safe for concurrent use by goroutines and by processes that
// opened the same one. Every method that writes commits durably before it
// returns. What does not exist is palate.ErrNotFound, input that can't be is
// palate.ErrInvalid, a catalog that can't be reached or written (a full disk
// too, which is ErrFull) is palate.ErrUnavailable; after any error nothing of the call is kept.
type Catalog interface {
	Images
	Edits
	Damages
	Sketches
	Copies
	Facets
	Ratings
	Embeddings
	Upgrades
	Probes
	Runs
	Changes
	Leases
	Identities
	Inspections
	Clocks
	Crawls
	crawler.Frontier

	// Writable returns nil if the catalog takes writes, else
	// palate.ErrUnavailable with the reason. It writes what is there once
	// more, so that a full disk is found too, and is no change.
	Writable(ctx context.Context) error

	// Close ends the use of the catalog; leases are released.
	Close() error
}

// Image is one picture of the collection.
type Image struct {
	ID            palate.ImageID
	SHA256        [32]byte
	Bytes         int64
	Format        string // as internal/picture names it: "jpeg", "png", …
	Width, Height int    // upright, pixels
	AddedAt       time.Time
	Sources       []palate.Source // the edit, if there is one, then the oldest first

	// Decoded says that somebody has decoded it since palate keeps what that
	// tells. Damage is then what is missing or wrong of it though it is shown,
	// in a plain sentence that begins in lower case; "" is whole.
	Decoded bool
	Damage  string
}

// Title is the first that any source gives; of an image that none names, its
// file's name without the ending.
func (i Image) Title() string {
	for _, s := range i.Sources {
		if s.Title != "" {
			return s.Title
		}
	}
	for _, s := range i.Sources {
		if name := FileTitle(s.OriginalName); name != "" {
			return name
		}
	}
	return ""
}

// FileTitle is what a file's name gives for a title: the name without the
// ending. It is empty for an empty name alone.
func FileTitle(name string) string {
	if ending := path.Ext(name); len(ending) < len(name) {
		return strings.TrimSuffix(name, ending)
	}
	return name
}

// Artist is the first artist that any source gives.
func (i Image) Artist() string {
	for _, s := range i.Sources {
		if s.Artist != "" {
			return s.Artist
		}
	}
	return ""
}

// Tombstone keeps a deleted image away.
type Tombstone struct {
	ID        palate.ImageID
	Reason    string
	DeletedAt time.Time
	Trashed   bool // it is in the trash and can be restored
}

// Trashed is an image in the trash.
type Trashed struct {
	ID            palate.ImageID
	Title, Artist string // as of an image
	Bytes         int64
	Format        string
	Width, Height int
	Reason        string
	DeletedAt     time.Time
}

// Added says what AddImage did.
type Added struct {
	Image      bool // the image is new
	Source     bool // the source is new
	Duplicate  bool // the image was added in the present round of the finished task's crawl
	Tombstoned bool // the image was deleted before; nothing was written but the finished task
	TooMany    bool // the crawl has as many images as it may; nothing was written but the finished task
}

// ImageState says what the catalog knows of an image.
type ImageState int

// The states.
const (
	UnknownImage ImageState = iota // nothing: its file is an orphan
	PresentImage                   // it is in the collection
	DeletedImage                   // it was deleted for good: its file may go
	TrashedImage                   // it is in the trash and can be restored: its file stays
)

// CrawlTask names a claimed task that AddImage finishes in its commit: as
// crawler.Kept if the image is new (with reason crawler.ReasonDamaged if it has
// a Damage), as crawler.Lost with reason "deleted" if
// it is tombstoned, otherwise as crawler.Lost with reason "duplicate" if the
// image was added in the crawl's present round, else as crawler.Known.
type CrawlTask struct {
	Crawl string
	Task  crawler.Task
	// Most is how many images the crawl may bring in over all its rounds; one
	// more is not added, and crawler.Lost with reason "picture_limit". 0 is no
	// bound.
	Most int
}

// ImageOrder is the order of a list of images.
type ImageOrder string

// The orders.
const (
	Newest ImageOrder = "newest" // the last added first
	Oldest ImageOrder = "oldest"
)

// MinPrefix is how many digits of an image's id may stand for it at least.
const MinPrefix = 4

// ImageQuery asks for a page of images.
type ImageQuery struct {
	Filter index.Filter // all fields hold here too
	Search string       // part of a title, or of what a file's name gives for one (FileTitle) where a source has none, or of an artist's name, letter case aside
	// Damaged leaves only images that have a Damage.
	Damaged bool
	// SkippedBy, if set, leaves only images whose standing verdict of that
	// profile is a skip.
	SkippedBy palate.Profile
	// AddedAfter, if not zero, leaves only images that came after that moment.
	AddedAfter time.Time
	// Crawled leaves only images that a crawl brought, also one that a
	// subscription began.
	Crawled bool
	// Models, if any, leaves only images that one of them has embedded.
	Models []palate.ModelID
	Order  ImageOrder // default Newest
	After  string     // the Next of the page before; "" is the first page
	Limit  int        // 1 to 1000
}

// ImagePage is a part of a list. Next is empty on the last page.
type ImagePage struct {
	Images []Image
	Next   string
}

// Outline is what a list needs to know of an image to keep its place.
type Outline struct {
	ID            palate.ImageID
	Width, Height int // upright, pixels
}

// Images remembers what was kept and where it came from.
type Images interface {
	// AddImage adds an image with its first source, or a further source of
	// an image that is there, of which then nothing but a damage that was not
	// known is taken from image. image.Sources is ignored; source.Address is
	// its identity within the image: the same address again refreshes that
	// source. A finished task, if not nil, is part of the commit. A Damage of
	// an image that is not Decoded is ErrInvalid.
	AddImage(ctx context.Context, image Image, source palate.Source, finished *CrawlTask) (Added, error)

	// Image returns one image with all its sources.
	Image(ctx context.Context, id palate.ImageID) (Image, error)

	// ImagesByID returns images in the order asked, leaving out those that
	// do not exist.
	ImagesByID(ctx context.Context, ids []palate.ImageID) ([]Image, error)

	// ImagesByExternalID returns the images with a source of that external
	// id, oldest first; an empty list if there is none.
	ImagesByExternalID(ctx context.Context, externalID string) ([]Image, error)

	// ImagesByAddress returns the images with a source of that address,
	// oldest first; an empty list if there is none.
	ImagesByAddress(ctx context.Context, address string) ([]Image, error)

	// ImagesNamed returns up to limit images (1 to 1000) that a person may
	// mean by a text, oldest first: whose id begins with it (MinPrefix
	// hexadecimal digits at least, with or without hyphens, in either case),
	// or that have a source of that address, page, external id or file name.
	ImagesNamed(ctx context.Context, name string, limit int) ([]Image, error)

	// ListImages returns a page. A cursor that is none is ErrInvalid.
	ListImages(ctx context.Context, q ImageQuery) (ImagePage, error)

	// Outlines returns the images on all pages of a list, in its order; After
	// and Limit say nothing.
	Outlines(ctx context.Context, q ImageQuery) ([]Outline, error)

	// CountImages counts what passes the filter.
	CountImages(ctx context.Context, f index.Filter) (int, error)

	// CountListed counts the images on all pages of a list; Order, After and
	// Limit say nothing.
	CountListed(ctx context.Context, q ImageQuery) (int, error)

	// ImageStates tells what is known of each id, in the order asked.
	ImageStates(ctx context.Context, ids []palate.ImageID) ([]ImageState, error)

	// Addresses tells what is known of each address, in the order asked.
	Addresses(ctx context.Context, addresses []string) ([]crawler.Standing, error)

	// DeleteImage moves the image with sources, embeddings and failures to
	// the trash, from which RestoreImage brings all of it back, and leaves a
	// tombstone with its addresses, so that neither the file nor an address
	// comes back by itself. Its ratings stay in the log and count no more,
	// unless the image comes back. The address of an upload
	// (palate.Source.Site "upload") names no place and is not kept away. The
	// caller leaves the file where it is. ErrNotFound if the image is not there.
	DeleteImage(ctx context.Context, id palate.ImageID, reason string) error

	// RestoreImage brings an image back from the trash as it was deleted,
	// with its place in the lists; its ratings count again and its tombstone
	// is gone. ErrNotFound if it is not in the trash.
	RestoreImage(ctx context.Context, id palate.ImageID) error

	// PurgeImage removes for good what DeleteImage would move to the trash,
	// or has moved there; the tombstone is left, or stays. The caller removes
	// the file. ErrNotFound if the image is neither there nor in the trash.
	PurgeImage(ctx context.Context, id palate.ImageID, reason string) error

	// Trash lists up to limit images (1 to 1000) that were deleted before a
	// time, or at any time if it is zero, and can be restored; the one that
	// was deleted first comes first.
	Trash(ctx context.Context, before time.Time, limit int) ([]Trashed, error)

	// LatestTrash lists the same, but the one that was deleted last comes
	// first.
	LatestTrash(ctx context.Context, before time.Time, limit int) ([]Trashed, error)

	// CountTrash counts what Trash would list without a limit.
	CountTrash(ctx context.Context, before time.Time) (int, error)

	// TrashedImages lists up to limit images in the trash whose IDs follow
	// after, in the order of IDs and without their sources: what the store
	// keeps for them.
	TrashedImages(ctx context.Context, after palate.ImageID, limit int) ([]Image, error)

	// TombstoneOf returns the tombstone of a deleted image.
	TombstoneOf(ctx context.Context, id palate.ImageID) (Tombstone, error)

	// Tombstones lists all, the newest first.
	Tombstones(ctx context.Context) ([]Tombstone, error)

	// LiftTombstone lets a deleted image come back as a new one; what was
	// in the trash of it is gone.
	LiftTombstone(ctx context.Context, id palate.ImageID) error
}

// Rating is one entry of a profile's log that is not an undo.
type Rating struct {
	Entry        int64 // increases over the whole catalog
	Profile      palate.Profile
	Image        palate.ImageID
	Verdict      palate.Verdict // "" in what ClearRating appends, a take-back
	Stars        palate.Stars   // 0 is none; beside any verdict, which counts as it was said
	Shown        palate.Shown
	ProbeVersion int      // that ranked the picture when it was shown; 0 is none
	Score        *float64 // of that probe, if any
	At           time.Time
}

// LogEntry is one line of the append-only log: a rating, a take-back, or the
// undo of one of these.
type LogEntry struct {
	Rating       // Verdict is empty in a take-back and in an undo
	Undoes int64 // the entry that this one undoes; 0 in what is no undo
}

// TakesBack reports that since this entry the image is unrated.
func (e LogEntry) TakesBack() bool { return e.Verdict == "" && e.Undoes == 0 }

// Undone is an entry that was undone, and what is since.
type Undone struct {
	Rating         // its Verdict is empty if a take-back was undone
	Stands *Rating // the image's standing rating since; nil: it is unrated, or not there
}

// Merged says what MergeRatings did.
type Merged struct {
	Added  int `json:"added"`  // entries that were appended
	Known  int `json:"known"`  // entries that were here
	Older  int `json:"older"`  // of those added, ratings after which something else was said here
	Absent int `json:"absent"` // of those added, ratings of images that are not here
}

// RatingQuery asks for a page of standing ratings, the newest first.
type RatingQuery struct {
	Verdict palate.Verdict // "" is any
	Before  int64          // entries before this one; 0 is the newest page
	Limit   int            // 1 to 1000
}

// ProfileSummary counts the standing ratings of a profile.
type ProfileSummary struct {
	Profile                palate.Profile
	Likes, Dislikes, Skips int
	LastRatedAt            time.Time // zero without a rating
}

// Ratings remembers what people said. A profile exists as soon as it is
// created or has a rating. An image's standing rating is its last entry that is
// not undone; where that is a take-back, the image is unrated.
type Ratings interface {
	// Rate appends a rating; Entry is given, At is now if zero. ErrNotFound
	// if the image is not there.
	Rate(ctx context.Context, r Rating) (Rating, error)

	// RateAll appends ratings in one commit.
	RateAll(ctx context.Context, ratings []Rating) error

	// RateOnce appends, in one commit, those ratings that say anything new,
	// and returns how each then stands, in their order. One that differs from
	// the standing rating in nothing but its time is not appended again.
	// ErrNotFound if an image is not there.
	RateOnce(ctx context.Context, ratings []Rating) ([]Rating, error)

	// UndoRating appends the undo of one entry, a rating or a take-back, or
	// of the profile's last that is not undone if entry is 0, and returns what
	// was undone and what stands since. ErrNotFound if there is none,
	// ErrConflict if it is undone already.
	UndoRating(ctx context.Context, p palate.Profile, entry int64) (Undone, error)

	// ClearRating appends a take-back of what the profile said of that
	// image, so that it is unrated until that is undone or more is said.
	// ErrNotFound if it has no standing rating.
	ClearRating(ctx context.Context, p palate.Profile, id palate.ImageID) error

	// ClearRatings is ClearRating of many images, all in one commit, and
	// returns the take-backs. An image without a standing rating is passed by.
	ClearRatings(ctx context.Context, p palate.Profile, ids []palate.ImageID) ([]int64, error)

	// UndoRatings is UndoRating of many entries, all in one commit, the last
	// one first, and returns those that it undid. One that is undone already
	// is passed by; ErrNotFound if one is no entry of the profile that can be
	// undone.
	UndoRatings(ctx context.Context, p palate.Profile, entries []int64) ([]int64, error)

	// StandingRating returns the standing rating of one image.
	StandingRating(ctx context.Context, p palate.Profile, id palate.ImageID) (Rating, error)

	// StandingVerdicts returns the verdicts of the named images, or of all
	// if ids is nil.
	StandingVerdicts(ctx context.Context, p palate.Profile, ids []palate.ImageID) (map[palate.ImageID]palate.Verdict, error)

	// StandingStars returns the stars of the standing ratings of the named
	// images, leaving out those without.
	StandingStars(ctx context.Context, p palate.Profile, ids []palate.ImageID) (map[palate.ImageID]palate.Stars, error)

	// StandingRatings returns a page of standing ratings.
	StandingRatings(ctx context.Context, p palate.Profile, q RatingQuery) ([]Rating, error)

	// CountRatings counts the standing ratings of a verdict, or of any if it
	// is "".
	CountRatings(ctx context.Context, p palate.Profile, v palate.Verdict) (int, error)

	// RatingLog returns entries after the given one, oldest first.
	RatingLog(ctx context.Context, p palate.Profile, after int64, limit int) ([]LogEntry, error)

	// MergeRatings appends what another log has and this one lacks: that
	// of a backup, or of a copy of this catalog that went its own way. The
	// other log is given from its beginning, oldest first, of any profiles;
	// an undo names an entry before it. An entry of the same profile, image,
	// verdict, stars, time and place is the same one, so that merging again adds
	// nothing. What was said later stands: an older rating is appended undone.
	// Ratings of images that are not here count when these come.
	MergeRatings(ctx context.Context, log []LogEntry) (Merged, error)

	// Profiles lists the profiles in the order of names.
	Profiles(ctx context.Context) ([]ProfileSummary, error)

	// CreateProfile adds a profile without ratings. ErrConflict if there
	// is one of that name.
	CreateProfile(ctx context.Context, p palate.Profile) error

	// RenameProfile gives a profile's ratings, with their times and undos,
	// and its probes to a new name. The log of the old name keeps its
	// entries, undone. ErrNotFound without the one, ErrConflict if there is
	// the other.
	RenameProfile(ctx context.Context, from, to palate.Profile) error

	// DeleteProfile undoes every rating of a profile, removes its probes and
	// takes it off the list. The log keeps its entries. ErrNotFound without
	// it.
	DeleteProfile(ctx context.Context, p palate.Profile) error
}

// Model is a model that has made embeddings, or is about to.
type Model struct {
	ID          palate.ModelID
	Name        string
	Dim         int
	Description json.RawMessage
}

// ImageEmbedding is an image as one model sees it.
type ImageEmbedding struct {
	ID        palate.ImageID
	Embedding palate.Embedding
}

// Embeddings remembers what models made of the images.
type Embeddings interface {
	// PutModel adds a model; the same again changes nothing but its name.
	PutModel(ctx context.Context, m Model) error

	// Models lists the models, oldest first.
	Models(ctx context.Context) ([]Model, error)

	// PutEmbeddings adds or replaces embeddings in one commit. Each must
	// pass palate.Embedding.Validate; embeddings of images that are gone
	// are passed over. ErrNotFound if the model was not put.
	PutEmbeddings(ctx context.Context, m palate.ModelID, embeddings []ImageEmbedding) error

	// EmbeddingsOf returns the embeddings of the named images, in the
	// order asked, leaving out those that have none.
	EmbeddingsOf(ctx context.Context, m palate.ModelID, ids []palate.ImageID) ([]ImageEmbedding, error)

	// Embedded tells which of the named images have an embedding, without
	// reading any.
	Embedded(ctx context.Context, m palate.ModelID, ids []palate.ImageID) (map[palate.ImageID]bool, error)

	// ListEmbeddings returns up to limit embeddings whose IDs follow
	// after, in the order of IDs; fewer than limit mean that these were
	// the last.
	ListEmbeddings(ctx context.Context, m palate.ModelID, after palate.ImageID, limit int) ([]ImageEmbedding, error)

	// CountEmbeddings counts a model's embeddings.
	CountEmbeddings(ctx context.Context, m palate.ModelID) (int, error)

	// Unembedded returns up to limit images that have neither an embedding
	// nor a failure of that model, oldest first.
	Unembedded(ctx context.Context, m palate.ModelID, limit int) ([]Image, error)

	// ClaimUnembedded returns up to limit of the images that Unembedded lists
	// and that no run has claimed, and claims them for a running run: no other
	// gets them until it has ended. A claim that its embedding or its failure
	// comes too late for does no harm: both are taken. ErrConflict if the run
	// has ended, ErrNotFound if the model was not put.
	ClaimUnembedded(ctx context.Context, m palate.ModelID, run int64, limit int) ([]Image, error)

	// EmbeddingWork tells whether there are images that Unembedded lists and
	// nobody has claimed, and whether there are such that a run has claimed.
	EmbeddingWork(ctx context.Context, m palate.ModelID) (free, claimed bool, err error)

	// FailEmbedding records why an image can't be embedded by that model,
	// so that it is passed by; PutEmbeddings clears it.
	FailEmbedding(ctx context.Context, m palate.ModelID, id palate.ImageID, reason string) error

	// EmbeddingFailures lists the failures of a model by image.
	EmbeddingFailures(ctx context.Context, m palate.ModelID) (map[palate.ImageID]string, error)

	// ClearEmbeddingFailures lets failed images be tried again.
	ClearEmbeddingFailures(ctx context.Context, m palate.ModelID) error

	// AttributesOf gathers what an index filters by, leaving out images
	// that do not exist.
	AttributesOf(ctx context.Context, ids []palate.ImageID) (map[palate.ImageID]index.Attributes, error)

	// VerdictsOf gathers what profiles like and dislike, as it is in the
	// attributes: empty for an image that nobody judges, and without images that
	// do not exist.
	VerdictsOf(ctx context.Context, ids []palate.ImageID) (map[palate.ImageID]map[palate.Profile]palate.Verdict, error)
}

// ProbeVersion is one trained version of a profile's taste. Versions count from 1
// in each profile.
//
// A report holds a prediction of every rating and grows with them. It is
// therefore read by ProbeVersion alone; Summary is what lists and answers tell
// of a version, and as large whatever the number of ratings.
type ProbeVersion struct {
	Profile   palate.Profile
	Version   int
	Model     palate.ModelID
	Weights   []byte          // as package probe marshals it
	Summary   json.RawMessage // a report without its lists
	Report    json.RawMessage // nil unless it was asked for
	LastEntry int64           // the newest rating that it was trained on
	Run       int64           // the training run; 0 is none
	Current   bool            // the version that serves this profile and model
	Reason    string          // why it took over, or did not
	TrainedAt time.Time
}

// Probes remembers the trained versions.
type Probes interface {
	// AddProbe stores the next version; Version and TrainedAt are given.
	// If p.Current, it takes over from the present one.
	AddProbe(ctx context.Context, p ProbeVersion) (ProbeVersion, error)

	// CurrentProbe returns the version that serves the profile with that
	// model, without its report. ErrNotFound if there is none.
	CurrentProbe(ctx context.Context, p palate.Profile, m palate.ModelID) (ProbeVersion, error)

	// ProbeVersion returns one version with its report.
	ProbeVersion(ctx context.Context, p palate.Profile, version int) (ProbeVersion, error)

	// ListProbes lists a profile's versions, the newest first, without
	// their weights and reports.
	ListProbes(ctx context.Context, p palate.Profile) ([]ProbeVersion, error)

	// MakeProbeCurrent lets a version serve.
	MakeProbeCurrent(ctx context.Context, p palate.Profile, version int) error
}

// ChangeKind says what a change concerns.
type ChangeKind string

// The kinds of change.
const (
	ImageChanged     ChangeKind = "image"     // an image or a source was added or refreshed
	ImageDeleted     ChangeKind = "deleted"   // an image is gone
	EmbeddingChanged ChangeKind = "embedding" // an image has a new embedding of Model
	RatingChanged    ChangeKind = "rating"    // Profile's standing verdict of Image may be another
	ProbeChanged     ChangeKind = "probe"     // Profile has another current probe
	RunChanged       ChangeKind = "run"       // Run began, went on, is to stop, or ended
	ModelChanged     ChangeKind = "model"     // Model began to take another's place, or took it
)

// Change is one numbered change. It names what changed, not how: who follows
// reads the present state. Numbers grow by commit: a reader that has seen
// number n has seen every change up to n.
type Change struct {
	Number  uint64
	Kind    ChangeKind
	Image   palate.ImageID
	Profile palate.Profile
	Model   palate.ModelID
	Run     int64
}

// Changes lets what is derived follow.
type Changes interface {
	// LastChange returns the number of the newest change, 0 if there is none.
	LastChange(ctx context.Context) (uint64, error)

	// Wait returns LastChange as soon as that is beyond the number, whichever
	// process made the change, or ctx's error when ctx is done. What happens
	// meanwhile is not missed: a change that came before the call counts.
	Wait(ctx context.Context, beyond uint64) (uint64, error)

	// ChangesAfter returns up to limit changes, oldest first. ErrConflict
	// if numbers after it have been compacted away, or if it is beyond
	// LastChange, as after a backup was restored: rebuild instead.
	ChangesAfter(ctx context.Context, after uint64, limit int) ([]Change, error)

	// CompactChanges forgets changes up to and including the number.
	CompactChanges(ctx context.Context, upTo uint64) error

	// FollowedTo returns how far a named follower has come, 0 at first;
	// SetFollowedTo remembers it.
	FollowedTo(ctx context.Context, follower string) (uint64, error)
	SetFollowedTo(ctx context.Context, follower string, number uint64) error

	// Followers returns how far every named follower has come.
	Followers(ctx context.Context) (map[string]uint64, error)
}

// Identity says which catalog this is and whose rows it holds.
type Identity struct {
	Catalog string // drawn at random when the catalog was made; a copy has it too
	Store   string // of the image store that the rows describe; "" if it was never set
}

// Identities lets a catalog and an image store recognise each other.
type Identities interface {
	// Identity returns the marks of this catalog.
	Identity(ctx context.Context) (Identity, error)

	// SetStore remembers to which image store the rows belong. It is no
	// change in the sense of Changes.
	SetStore(ctx context.Context, store string) error
}

// Lease is a right that one holder has at a time.
type Lease interface {
	// Lost is closed when the lease is known to be lost before it was
	// released: somebody else may have it, and what it guards must stop. It is
	// not closed by Release.
	Lost() <-chan struct{}

	// Release gives it back. It is also given back when the process dies.
	Release() error
}

// Leases keeps two processes from doing the same work.
type Leases interface {
	// AcquireLease takes the lease of that name at once, or fails with
	// ErrConflict, naming the process that holds it.
	AcquireLease(ctx context.Context, name string) (Lease, error)
}
