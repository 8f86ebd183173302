// Package imagestore says where image files are kept: by ImageID, so that the
// same picture is one file, written once.
//
// imagestore/disk is the implementation on one machine; every implementation
// passes storetest.
package imagestore

import (
	"context"
	"crypto/sha256"
	"io"
	"time"

	"github.com/palate-art/palate"
)

// Stored is a file in the store.
type Stored struct {
	ID      palate.ImageID
	SHA256  [32]byte
	Bytes   int64
	Existed bool // the store had it already; nothing was written
}

// Mark says whose files a store holds.
type Mark struct {
	Store   string // the store's own identity, drawn at random when it was first marked
	Catalog string // the identity of the catalog whose rows describe the files
	Change  uint64 // the highest change number of that catalog that the store has seen
}

// Fate is what becomes of a file at a sweep.
type Fate int

// The fates.
const (
	Orphaned  Fate = iota // nobody knows it: it is moved aside
	Wanted                // it stays
	Discarded             // it was deleted for good: it is removed
)

// SweepRules say what a sweep may do.
type SweepRules struct {
	// OlderThan leaves alone what is younger, as it may be work under way:
	// a file is as old as the last call that stored it.
	OlderThan time.Duration
	// MaxOrphans is how many orphans are moved aside at most: with more of
	// them all stay, because then it is more likely that their record was
	// lost than that killed processes left them.
	MaxOrphans int
	// KeepOrphans is how long what was moved aside is kept.
	KeepOrphans time.Duration
}

// Swept says what a sweep found and did.
type Swept struct {
	Unfinished int    `json:"unfinished"`       // unfinished files, removed
	Discarded  int    `json:"discarded"`        // files of images that were deleted for good, removed
	Orphans    int    `json:"orphans"`          // files that nobody knows
	Moved      int    `json:"moved"`            // of them moved aside: all, or none if they were too many
	Folder     string `json:"folder,omitempty"` // where they were moved to
	Expired    int    `json:"expired"`          // files moved aside by earlier sweeps, now removed
	Thumbnails int    `json:"thumbnails"`       // thumbnails of images that are gone, removed
}

// ThumbnailVersion is which way of showing pictures the thumbnails that are kept
// were made by. It is raised when what a picture looks like changes; those of
// another version count as not kept, and are made anew when they are asked for.
const ThumbnailVersion = 2

// Store is safe for concurrent use by goroutines and by processes that opened
// the same one. A full disk, or a store that can't be reached or written, is
// palate.ErrUnavailable and says what to do; nothing is left of the call then.
type Store interface {
	// Put stores what r gives under the id of its SHA-256. The file is
	// durable before Put returns, and whole or not there at all after a
	// crash. More than maxBytes is palate.ErrInvalid. An error of r is
	// returned as it is.
	Put(ctx context.Context, r io.Reader, maxBytes int64) (Stored, error)

	// PutContent is Put of a content whose SHA-256 the caller has computed:
	// it is not computed again.
	PutContent(ctx context.Context, sum [sha256.Size]byte, content []byte) (Stored, error)

	// Open opens a file. palate.ErrNotFound if the store does not have it;
	// a referenced file that is gone is palate.ErrNotFound too, one that
	// has changed or may not be read is palate.ErrConflict, and each names
	// its path. The caller closes it.
	Open(ctx context.Context, id palate.ImageID) (io.ReadSeekCloser, error)

	// Has reports whether the store has a file, or a reference to one.
	Has(ctx context.Context, id palate.ImageID) (bool, error)

	// Delete removes a file with its thumbnails; of a referenced file it
	// removes the reference alone. Deleting what is not there succeeds.
	Delete(ctx context.Context, id palate.ImageID) error

	// Walk calls visit once with every id, in no order that means anything,
	// until it fails; that error is returned.
	Walk(ctx context.Context, visit func(palate.ImageID) error) error

	// Older tells which of the images' files came to their names longer ago
	// than that, in the order asked (see SweepRules.OlderThan).
	Older(ctx context.Context, than time.Duration, ids []palate.ImageID) ([]palate.ImageID, error)

	// BringBack puts a file back that a sweep moved aside, if it is the picture
	// that it is named for; found is false if there is none. A damaged file
	// under its name is moved aside in exchange.
	BringBack(ctx context.Context, id palate.ImageID) (found bool, err error)

	// PutThumbnail keeps a picture that was derived from the image. It may
	// be lost at any time and is then derived again. palate.ErrNotFound if
	// the store does not have the image, so that none outlives it.
	PutThumbnail(ctx context.Context, id palate.ImageID, width int, jpeg []byte) error

	// OpenThumbnail opens one. palate.ErrNotFound if it is not kept.
	OpenThumbnail(ctx context.Context, id palate.ImageID, width int) (io.ReadSeekCloser, error)

	// WalkThumbnails visits every thumbnail, as Walk does images.
	WalkThumbnails(ctx context.Context, visit func(id palate.ImageID, width int) error) error

	// DeleteThumbnail removes one. Deleting what is not there succeeds.
	DeleteThumbnail(ctx context.Context, id palate.ImageID, width int) error

	// Sweep looks after what killed processes left: unfinished files are
	// removed, files are treated as fate says of their ids, which it is asked
	// for in batches and answers in order. An orphan is moved aside, into a
	// folder of that day that Walk does not visit, and is back as soon as it
	// is put again. An error of fate is returned as it is; nothing of the
	// files that it was asked about is touched then.
	Sweep(ctx context.Context, rules SweepRules, fate func(context.Context, []palate.ImageID) ([]Fate, error)) (Swept, error)

	// Mark returns the store's mark, zero if it was never set. One that
	// can't be read is palate.ErrConflict.
	Mark(ctx context.Context) (Mark, error)

	// SetMark marks the store as belonging to a catalog that has come to
	// that change, whatever it was marked as before, and returns the mark.
	// The store's own identity is drawn at the first call and stays.
	SetMark(ctx context.Context, catalog string, change uint64) (Mark, error)

	// Saw raises the mark's change number; a lower one changes nothing. Call
	// it only with a number that the catalog has committed. Of several calls
	// at once one of the lower numbers may win: the next one mends that.
	Saw(ctx context.Context, change uint64) error

	// Ready returns nil when files can be written, else
	// palate.ErrUnavailable with the reason.
	Ready(ctx context.Context) error
}

// InPlace is a Store that can also keep files of the same machine without
// copying them. The path is made absolute.
type InPlace interface {
	Store

	// Link makes a hard link to the file. Both names are one file from then
	// on: who writes into the original in place damages the stored image.
	// palate.ErrInvalid, saying so, if the file is on another disk or the
	// file system has no links.
	Link(ctx context.Context, path string) (Stored, error)

	// Reference keeps path, size and hash of the file, which stays where
	// it is. If the store has the image already, nothing is written.
	Reference(ctx context.Context, path string) (Stored, error)

	// ReferenceOf tells where the file of an image lies that the store only
	// references. palate.ErrNotFound if the store has a file of its own, or
	// nothing; palate.ErrConflict if what it noted can't be read.
	ReferenceOf(ctx context.Context, id palate.ImageID) (Reference, error)

	// PutReference notes a reference that another store had. The file is
	// not looked at: it may be gone, or come later. If the store has the
	// image already, nothing is written.
	PutReference(ctx context.Context, id palate.ImageID, r Reference) error
}

// Reference is a file that stays where it is.
type Reference struct {
	Path     string
	Bytes    int64
	SHA256   [32]byte
	Modified time.Time
}
