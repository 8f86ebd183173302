package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/palate-art/palate"
)

// Whoever deletes the folder of leases, or puts a backup of it in its place,
// gives every lease away. The holder must hear of it.
func TestALeaseSaysThatItWasLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	lease, err := c.AcquireLease(t.Context(), "train")
	if err != nil {
		t.Fatal(err)
	}
	lost := lease.Lost()
	locks, err := filepath.Glob(filepath.Join(filepath.Dir(path), "leases", "*train*.lock"))
	if err != nil || len(locks) != 1 {
		t.Fatalf("found %v, %v; want the lock", locks, err)
	}
	if err := os.Remove(locks[0]); err != nil {
		t.Fatal(err)
	}
	other, err := open(t, path).AcquireLease(t.Context(), "train")
	if err != nil {
		t.Fatalf("got %v, want that the lease can be had twice now", err)
	}
	select {
	case <-lost:
	case <-time.After(time.Minute):
		t.Fatal("nobody told the first holder")
	}
	if err := errors.Join(lease.Release(), other.Release()); err != nil {
		t.Error(err)
	}
}

// A lock for every run that ever was would fill the folder.
func TestLeasesOfRunsLeaveNoFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	for n := range 3 {
		run, lease, err := c.StartRun(t.Context(), "import", "")
		if err != nil {
			t.Fatal(err)
		}
		if n < 2 { // the last one dies
			err = c.FinishRun(t.Context(), run.ID, "succeeded", nil, "")
		}
		if err := errors.Join(err, lease.Release()); err != nil {
			t.Fatal(err)
		}
	}
	if ended, err := c.EndDeadRuns(t.Context()); ended != 1 || err != nil {
		t.Fatalf("ended %d, %v; want 1", ended, err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "leases", "run-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v; want nothing", left, err)
	}
	if err := c.UpdateRun(t.Context(), 3, 1, 1, nil); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("got %v, want that the dead run has ended", err)
	}
}
