package catalog

import (
	"context"
	"time"
)

// RunLine is one line of a run's log: what happened, and when.
type RunLine struct {
	Number  int64 // in the log of its run, from 1
	At      time.Time
	Warning bool   // something went wrong, though the run went on
	Text    string // a sentence for people
}

// Logs are kept of the newest RunsWithLog runs that have one, and of each the
// newest MostRunLines: some 100 kB a run at most, but where lines are long.
const (
	RunsWithLog  = 200
	MostRunLines = 1000
)

// RunLog remembers what happened while runs were at work.
type RunLog interface {
	// AddRunLines appends to the log of a run that has not ended, in one commit;
	// Number is given. Of more than MostRunLines the oldest go, and the logs of all
	// runs but the newest RunsWithLog; Run.Lines counts them still. ErrConflict if
	// the run has ended.
	AddRunLines(ctx context.Context, run int64, lines []RunLine) error

	// RunLog returns up to limit (1 to 1000) lines of a run's log behind a number,
	// 0 at first, in their order. ErrNotFound if there is no such run.
	RunLog(ctx context.Context, run, after int64, limit int) ([]RunLine, error)
}
