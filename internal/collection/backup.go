package collection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/job"
)

// Backup copies the collection, which may be in use, into a folder or an archive,
// as a job; one that can't be written, as on a full disk, is copied without.
func (c *Collection) Backup(ctx context.Context, path string, options backup.Options) (report backup.Report, err error) {
	if err := c.MayBackUpTo(path); err != nil {
		return report, err
	}
	defer c.tell.EndProgress()
	j, err := c.beginIfWritten(ctx, job.Backup)
	if err != nil {
		return report, err
	}
	if j == nil {
		options.Progress = func(done, total int) { c.tell.Progress("back up", "img", int64(done), int64(total)) }
		return c.backUp(ctx, path, options)
	}
	err = j.Do(ctx, func(ctx context.Context) (any, error) {
		report, err = c.backUpAs(ctx, path, options, progress(ctx, j, c.tell, "back up", "img"))
		sayBackedUp(ctx, j, report)
		return report.Summary(), err
	})
	return report, err
}

// BackupAs implements starter.Steps.
func (c *Collection) BackupAs(ctx context.Context, j *job.Job, path string, options backup.Options) (backup.Summary, error) {
	if err := c.MayBackUpTo(path); err != nil {
		return backup.Summary{}, err
	}
	report, err := c.backUpAs(ctx, path, options, progress(ctx, j, Silent{}, "", ""))
	sayBackedUp(ctx, j, report)
	return report.Summary(), err
}

// sayBackedUp tells a job's log what was backed up; a report that names no place
// is of none.
func sayBackedUp(ctx context.Context, j *job.Job, r backup.Report) {
	if r.Path == "" {
		return
	}
	for _, text := range r.Words() {
		j.Say(ctx, "%s", text)
	}
	if err := r.Err(); err != nil {
		j.Warn(ctx, "%v", err)
	}
}

// MayBackUpTo says what speaks against a place for backups, or nil.
func (c *Collection) MayBackUpTo(path string) error {
	if inside(c.config.Folder, path) {
		return askedf("%s lies in the folder of the collection, and would be lost with it; choose another place, on another disk", path)
	}
	return nil
}

func (c *Collection) backUpAs(ctx context.Context, path string, options backup.Options, progress func(done, total int64)) (backup.Report, error) {
	options.Progress = func(done, total int) { progress(int64(done), int64(total)) }
	return c.backUp(ctx, path, options)
}

func (c *Collection) backUp(ctx context.Context, path string, options backup.Options) (backup.Report, error) {
	from := backup.Collection{Catalog: c.Catalog, Store: c.Store, Open: func(ctx context.Context, path string) (backup.Snapshot, error) {
		return sqlite.OpenReadOnly(ctx, path, sqlite.DefaultConfig())
	}}
	if backup.IsArchive(path) {
		return from.ToArchive(ctx, path, options)
	}
	return from.ToFolder(ctx, path, options)
}

// inside reports whether a path is a folder or below it.
func inside(folder, path string) bool {
	relative, err := filepath.Rel(resolved(folder), resolved(path))
	return err == nil && filepath.IsLocal(relative)
}

// resolved follows the symbolic links of what is there of a path.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(resolved(parent), filepath.Base(path))
	}
	return path
}

// Restore brings a backup (an empty snapshot: its newest) back into the folder of
// the configuration. A catalog that is there is palate.ErrConflict, or is set aside
// with replace.
func Restore(ctx context.Context, config Config, from, snapshot string, replace bool, tell Teller, logger *slog.Logger) (backup.Restored, error) {
	if err := PrepareFolder(config, tell, logger); err != nil {
		return backup.Restored{}, err
	}
	path := filepath.Join(config.Folder, CatalogFile)
	if err := makeRoom(ctx, config, path, replace, tell); err != nil {
		return backup.Restored{}, err
	}
	store, err := disk.Open(filepath.Join(config.Folder, ImagesFolder))
	if err != nil {
		return backup.Restored{}, err
	}
	defer tell.EndProgress()
	return backup.Restore(ctx, from, snapshot, backup.Place{Catalog: path, Store: store, Open: openStaged},
		func(done, total int) { tell.Progress("restore", "img", int64(done), int64(total)) })
}

// openStaged opens the catalog of a backup. The job that made the backup was
// running when the catalog was copied; that the backup is there says how it ended.
func openStaged(ctx context.Context, path string) (backup.Staged, error) {
	c, err := sqlite.Open(ctx, path, sqlite.DefaultConfig())
	if err != nil {
		return nil, err
	}
	runs, err := c.ListRuns(ctx, 0, latestRuns)
	for _, run := range runs {
		if err == nil && run.State == catalog.Running && run.Kind == string(job.Backup) {
			err = c.FinishRun(ctx, run.ID, catalog.Succeeded, nil, "")
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// latestRuns are among how many of the newest jobs the one is that made a backup.
const latestRuns = 100

// makeRoom sets aside what would be in the way of the backup's catalog.
func makeRoom(ctx context.Context, config Config, path string, replace bool, tell Teller) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case info.Size() > 0 && !replace:
		return fmt.Errorf("there is a collection in %s: restore into another folder (--data), add the backup's ratings to it (--merge-ratings), or set its catalog aside (--replace): %w", config.Folder, palate.ErrConflict)
	}
	aside, err := sqlite.SetAside(ctx, path, time.Now())
	if err != nil {
		return err
	}
	if aside != "" {
		note(tell, "The catalog that was there is kept at %s.", aside)
	}
	// What is derived from it follows its numbers, which begin anew.
	if err := os.RemoveAll(filepath.Join(config.Folder, IndexFolder)); err != nil {
		return err
	}
	if config.Index != EmbeddedIndex {
		note(tell, "Run palate reindex afterwards: the index server holds what the collection was before.")
	}
	return nil
}

// MergeRatings adds the ratings of a backup to the collection.
func (c *Collection) MergeRatings(ctx context.Context, from, snapshot string) (catalog.Merged, error) {
	log, err := ratingsOf(ctx, from, snapshot)
	if err != nil {
		return catalog.Merged{}, err
	}
	return c.Catalog.MergeRatings(ctx, log)
}

// ratingsOf reads the log of ratings in a backup, of all profiles.
func ratingsOf(ctx context.Context, path, snapshot string) (log []catalog.LogEntry, err error) {
	folder, err := os.MkdirTemp("", "palate-restore-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copied := filepath.Join(folder, CatalogFile)
	if err := backup.CatalogOf(ctx, path, snapshot, copied); err != nil {
		return nil, err
	}
	c, err := sqlite.OpenReadOnly(ctx, copied, sqlite.DefaultConfig())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	profiles, err := c.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range profiles {
		for after := int64(0); ; {
			page, err := c.RatingLog(ctx, p.Profile, after, logPage)
			if err != nil {
				return nil, err
			}
			if log = append(log, page...); len(page) < logPage {
				break
			}
			after = page[len(page)-1].Entry
		}
	}
	return log, nil
}

// logPage is how many entries of the log are read at once.
const logPage = 1000
