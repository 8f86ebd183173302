package catalog

import "context"

// RunLoss is one file that a run did not take, or took though it is damaged.
type RunLoss struct {
	Number int64  // in the list of its run, from 1
	Path   string // of the file
	Reason string // a short word, by which losses are counted
	Kept   bool   // it was taken all the same
	What   string // a sentence for people
}

// Losses are kept of the newest RunsWithLosses runs that have any, and of each
// the first MostRunLosses: some 20 MB a run at most.
const (
	RunsWithLosses = 20
	MostRunLosses  = 100_000
)

// RunLosses remembers what runs did not take.
type RunLosses interface {
	// AddRunLosses appends to the list of a run that has not ended, in one
	// commit; Number is given. What is beyond MostRunLosses is counted by
	// Run.Losses and not kept, and the lists of all runs but the newest
	// RunsWithLosses go. ErrConflict if the run has ended.
	AddRunLosses(ctx context.Context, run int64, losses []RunLoss) error

	// RunLosses returns up to limit (1 to 1000) of a run's losses behind a
	// number, 0 at first, in their order; reason "" is any. ErrNotFound if
	// there is no such run.
	RunLosses(ctx context.Context, run int64, reason string, after int64, limit int) ([]RunLoss, error)
}
