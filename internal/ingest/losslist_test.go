package ingest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/picture"
)

// countedLosses is a catalog that counts how often losses are written.
type countedLosses struct {
	catalog.Catalog
	writes int
}

func (c *countedLosses) AddRunLosses(ctx context.Context, run int64, losses []catalog.RunLoss) error {
	c.writes++
	return c.Catalog.AddRunLosses(ctx, run, losses)
}

// Every loss is in the list of the job, in the order of the files, and
// thousands of them take a few commits.
func TestThousandsOfLossesAreKeptInAFewWrites(t *testing.T) {
	f := newFixture(t)
	counted := &countedLosses{Catalog: f.catalog}
	const lost = 4000
	var files []folder.File
	for i := range lost {
		path := filepath.Join(f.folder, fmt.Sprintf("gone-%d.jpg", i))
		files = append(files, folder.File{Path: path, Source: sourceOf(i)})
	}
	report, err := job.Do(t.Context(), f.catalog, job.Import, "me", func(ctx context.Context, j *job.Job) (ingest.ImportReport, error) {
		return ingest.NewCollection(counted, f.store, picture.DefaultLimits()).Import(ctx, ingest.Import{Files: files, Mode: ingest.Copy, Run: j.Run.ID})
	})
	f.ok("Import", err)
	run, err := f.catalog.RunByID(t.Context(), report.Job)
	f.ok("RunByID", err)
	if report.Lost["unreadable"] != lost || run.Losses != lost || counted.writes > lost/500+1 {
		t.Errorf("%v lost, the job tells of %d, %d writes; want %d in at most %d writes", report.Lost, run.Losses, counted.writes, lost, lost/500+1)
	}
	at := 0
	for after := int64(0); ; {
		some, err := f.catalog.RunLosses(t.Context(), run.ID, "", after, 1000)
		f.ok("RunLosses", err)
		for _, l := range some {
			if l.Path != files[at].Path || l.Reason != "unreadable" || l.Kept || l.What == "" {
				t.Fatalf("loss %d is %+v", at, l)
			}
			at++
		}
		if len(some) == 0 {
			break
		}
		after = some[len(some)-1].Number
	}
	if at != lost {
		t.Errorf("%d are listed, want %d", at, lost)
	}
}

// What was lost before an import is stopped is kept too.
func TestLossesOfAStoppedImportAreKept(t *testing.T) {
	f := newFixture(t)
	files := []folder.File{{Path: filepath.Join(f.folder, "gone.jpg"), Source: sourceOf(0)}, {Path: filepath.Join(f.folder, "never.jpg"), Source: sourceOf(1)}}
	run, lease, err := f.catalog.StartRun(t.Context(), "import", "me")
	f.ok("StartRun", err)
	defer func() { f.ok("Release", lease.Release()) }()
	ctx, stop := context.WithCancel(t.Context())
	report, err := f.collection.Import(ctx, ingest.Import{Files: files, Mode: ingest.Copy, Run: run.ID, Progress: func(int, int) { stop() }})
	if err == nil || report.Seen != 1 || report.Job != run.ID {
		t.Errorf("%+v, %v; want it stopped after the first file", report, err)
	}
	losses, err := f.catalog.RunLosses(t.Context(), run.ID, "", 0, 10)
	if err != nil || len(losses) != 1 {
		t.Errorf("%+v, %v; want the one that was lost", losses, err)
	}
}
