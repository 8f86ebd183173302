package catalog

import (
	"context"
	"encoding/json"
	"time"

	"github.com/palate-art/palate"
)

// RunState is where a run stands.
type RunState string

// The states. A run whose process died is found by its lease, which is free
// then, and becomes failed.
const (
	Running   RunState = "running"
	Succeeded RunState = "succeeded"
	Failed    RunState = "failed"
	Cancelled RunState = "cancelled"
)

// Run is one piece of long work: a crawl, an import, an embedding, a
// training. Package job is how one is begun and ended.
type Run struct {
	ID      int64
	Kind    string // as package job names it: "crawl", "import", …
	Profile palate.Profile
	State   RunState
	// CancelAsked says that somebody wants it to stop. It runs until its
	// process has seen that.
	CancelAsked bool
	Done        int64
	Total       int64           // 0 is not known
	Progress    json.RawMessage // what it last said of how it goes, JSON of its kind; nil if nothing
	Result      json.RawMessage // of a run that has ended
	Error       string
	Losses      int // files of which RunLosses has, or had, something to say
	Lines       int // of its log, kept or not
	StartedAt   time.Time
	UpdatedAt   time.Time
	FinishedAt  time.Time // zero while running
}

// Runs remembers the work that was done. Everything that happens to a run is a
// change.
type Runs interface {
	RunLosses
	RunLog

	// StartRun begins a run that lives exactly as long as its lease, which
	// comes with it: release it after FinishRun. However the process ends
	// before, the lease is free then.
	StartRun(ctx context.Context, kind string, p palate.Profile) (Run, Lease, error)

	// UpdateRun records progress, which says nothing about whether the run
	// lives. ErrConflict if it has ended: its process was taken for dead, and
	// should stop. progress, if not nil, takes the place of what was said
	// before, and is kept after the end.
	UpdateRun(ctx context.Context, id, done, total int64, progress json.RawMessage) error

	// CancelRun asks the process that works on a run to stop. A second time
	// does nothing. ErrConflict if it has ended.
	CancelRun(ctx context.Context, id int64) error

	// FinishRun ends a run. ErrConflict if it has ended.
	FinishRun(ctx context.Context, id int64, state RunState, result json.RawMessage, message string) error

	RunByID(ctx context.Context, id int64) (Run, error)

	// ListRuns lists runs with IDs below before (0 is all), newest first.
	ListRuns(ctx context.Context, before int64, limit int) ([]Run, error)

	// CountRuns counts the runs on all pages of that list.
	CountRuns(ctx context.Context) (int, error)

	// EndDeadRuns ends the running runs whose lease nobody holds as failed,
	// and returns how many there were. When it returns, none of those that were
	// dead before is told of as running, whoever else looked meanwhile.
	EndDeadRuns(ctx context.Context) (int, error)
}
