// Package imagestore says where image files are kept: by ImageID, so that the
// same picture is one file, written once.
//
// imagestore/disk is the implementation on one machine; every implementation
// passes storetest.
package imagestore

import (
	"context"
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

// Store is safe for concurrent use by goroutines and by processes that opened
// the same one. A full disk, or a store that can't be reached or written, is
// palate.ErrUnavailable and says what to do; nothing is left of the call then.
type Store interface {
	// Put stores what r gives under the id of its SHA-256. The file is
	// durable before Put returns, and whole or not there at all after a
	// crash. More than maxBytes is palate.ErrInvalid. An error of r is
	// returned as it is.
	Put(ctx context.Context, r io.Reader, maxBytes int64) (Stored, error)

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

	// PutThumbnail keeps a picture that was derived from the image. It may
	// be lost at any time and is then derived again. palate.ErrNotFound if
	// the store does not have the image, so that none outlives it.
	PutThumbnail(ctx context.Context, id palate.ImageID, width int, jpeg []byte) error

	// OpenThumbnail opens one. palate.ErrNotFound if it is not kept.
	OpenThumbnail(ctx context.Context, id palate.ImageID, width int) (io.ReadSeekCloser, error)

	// Sweep removes what killed processes left: unfinished files, and files
	// that wanted says nobody knows, both only if older than the given age,
	// so that work under way is left alone: a file is as old as the last
	// call that stored it. It returns how many it removed.
	Sweep(ctx context.Context, olderThan time.Duration, wanted func(palate.ImageID) (bool, error)) (int, error)

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
