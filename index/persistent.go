package index

import (
	"context"
)

// Persistent is an Index whose points outlive the process, as on a server. Until
// something was committed its searches and changes are ErrUnavailable.
type Persistent interface {
	Index

	// BelongTo says whose points these are to be. It is called before the
	// index is used. Points that the owner does not accept are neither
	// searched nor changed: that is ErrConflict and ErrUnavailable.
	BelongTo(owner Owner)

	// Generation names the points that serve now, "" if there are none.
	// Another name is another set of points: filled anew, or what was
	// there is lost.
	Generation(ctx context.Context) (string, error)

	// State looks at the points that serve now.
	State(ctx context.Context) (State, error)

	// SetPosition writes the number of the last change that is in the points
	// beside them, so that whoever restores an older state of them restores
	// its number.
	SetPosition(ctx context.Context, number uint64) error

	// Repair makes what State found missing.
	Repair(ctx context.Context) error

	// Forget lets the next call look anew which points serve, and ask the
	// owner.
	Forget()

	// Settle waits until searches of what serves are as quick as they will be:
	// a server may go on building its graphs after it has taken the points.
	// progress, if not nil, is told how many of how many points are ready.
	Settle(ctx context.Context, progress func(done, total int)) error

	// Stage begins an empty set of points beside the one that serves. What
	// an earlier Stage began and nobody committed may go.
	Stage(ctx context.Context) (Staged, error)
}

// State tells of the points of a Persistent.
type State struct {
	Generation string // names them; "" if there are none
	// Outdated says that an earlier release laid them out. They can be
	// searched, not changed, and do not tell their position.
	Outdated bool
	// Catalog is the identity of the catalog that filled them, "" if they
	// don't tell.
	Catalog string
	// Position is the last number given to SetPosition; Placed says whether
	// there is one.
	Position uint64
	Placed   bool
	// Missing names what is missing beside the points and slows searches down,
	// or lets a strict server refuse them.
	Missing []string
}

// Owner is the catalog that the points of a Persistent are made from.
type Owner interface {
	// Identity names the catalog.
	Identity(ctx context.Context) (string, error)
	// Accept says as an error, ErrConflict, why points are not this catalog's,
	// and what to do.
	Accept(ctx context.Context, s State) error
	// Failure is why the points are not kept up to date at present, nil if they
	// are or nobody has tried yet.
	Failure() error
}

// Staged is an Index that is filled before it serves. It need not be closed.
type Staged interface {
	Index

	// Generation names these points.
	Generation(ctx context.Context) (string, error)

	// SetPosition is that of Persistent.
	SetPosition(ctx context.Context, number uint64) error

	// Settle is that of Persistent; it may be left out.
	Settle(ctx context.Context, progress func(done, total int)) error

	// Commit lets them serve instead of the ones before, at once for every
	// search.
	Commit(ctx context.Context) error
}
