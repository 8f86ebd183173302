package index

import (
	"context"
)

// Persistent is an Index whose points outlive the process, as on a server. Until
// something was committed its searches and changes are ErrUnavailable.
type Persistent interface {
	Index

	// Generation names the points that serve now, "" if there are none.
	// Another name is another set of points: filled anew, or what was
	// there is lost.
	Generation(ctx context.Context) (string, error)

	// Stage begins an empty set of points beside the one that serves. What
	// an earlier Stage began and nobody committed may go.
	Stage(ctx context.Context) (Staged, error)
}

// Staged is an Index that is filled before it serves. It need not be closed.
type Staged interface {
	Index

	// Generation names these points.
	Generation(ctx context.Context) (string, error)

	// Commit lets them serve instead of the ones before, at once for every
	// search.
	Commit(ctx context.Context) error
}
