package collection_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/verify"
)

// stopper asks the newest job to stop as soon as it tells how far it is, and
// holds it up then, as a slow disk would.
type stopper struct {
	collection.Silent
	stop func()
	told int
}

func (s *stopper) Progress(string, string, int64, int64) {
	if s.told++; s.told == 1 {
		s.stop()
		time.Sleep(2 * time.Second) // a job looks every half second whether it is to stop
	}
}

// A verification and a backup end soon after somebody asked for it, as
// cancelled, and a backup leaves nothing that looks whole.
func TestVerificationsAndBackupsAreStopped(t *testing.T) {
	place := filepath.Join(t.TempDir(), "backup")
	for kind, work := range map[job.Kind]func(context.Context, *collection.Collection) error{
		job.Verify: func(ctx context.Context, c *collection.Collection) error {
			_, err := c.Verify(ctx, verify.Config{Deep: true})
			return err
		},
		job.Backup: func(ctx context.Context, c *collection.Collection) error {
			_, err := c.Backup(ctx, place, backup.Options{Program: "test"})
			return err
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			tell := &stopper{}
			c, err := collection.Open(t.Context(), collection.DefaultConfig(olderCollection(t), t.TempDir()), tell, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			tell.stop = func() {
				runs, err := c.Catalog.ListRuns(t.Context(), 0, 1)
				if err != nil || len(runs) != 1 || runs[0].Kind != string(kind) || runs[0].State != catalog.Running {
					t.Errorf("got the jobs %+v and %v, want one that runs", runs, err)
				} else if err := c.StopJob(t.Context(), runs[0].ID); err != nil {
					t.Error(err)
				}
			}
			if err := work(t.Context(), c); !errors.Is(err, job.ErrCancelled) {
				t.Errorf("got %v, want job.ErrCancelled", err)
			}
			jobs, err := c.Jobs(t.Context(), 1)
			if err != nil || jobs[0].State != catalog.Cancelled {
				t.Errorf("got %+v and %v, want it cancelled", jobs, err)
			}
			if tell.told > 10 {
				t.Errorf("it went on for %d steps", tell.told)
			}
		})
	}
	t.Cleanup(func() {
		if list, err := backup.List(place); !errors.Is(err, palate.ErrNotFound) {
			t.Errorf("got the backups %+v and %v, want none", list, err)
		}
	})
}
