package collection_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
)

// A backup is a job, and the catalog that is restored of it says that this job
// went well, though it was running when the catalog was copied.
func TestABackupIsAJob(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	config := collection.DefaultConfig(olderCollection(t), t.TempDir())
	c, err := collection.Open(t.Context(), config, collection.Silent{}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	wantOne := func(c *collection.Collection, where string) {
		t.Helper()
		runs, err := c.Catalog.ListRuns(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, run := range runs {
			if run.Kind == "backup" {
				found++
				if run.State != catalog.Succeeded {
					t.Errorf("%s: the backup is %s (%s), want it succeeded", where, run.State, run.Error)
				}
			}
		}
		if found != 1 {
			t.Errorf("%s: got %d backups among %d jobs, want 1", where, found, len(runs))
		}
	}
	to := filepath.Join(t.TempDir(), "backup")
	if _, err := c.Backup(t.Context(), to, backup.Options{Program: "test"}); err != nil {
		t.Fatal(err)
	}
	wantOne(c, "the collection")

	config.Folder = filepath.Join(t.TempDir(), "restored")
	if _, err := collection.Restore(t.Context(), config, to, "", false, collection.Silent{}, quiet); err != nil {
		t.Fatal(err)
	}
	restored, err := collection.Open(t.Context(), config, collection.Silent{}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if _, err := restored.Catalog.EndDeadRuns(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantOne(restored, "the restored one")
}
