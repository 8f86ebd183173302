package collection

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/palate-art/palate/internal/access"
)

// What lies in the folder of a collection.
const (
	CatalogFile     = "catalog.db"
	ImagesFolder    = "images"
	IndexFolder     = "index"
	leasesFolder    = "leases"
	MigrationFolder = "before-migration"

	// reserveFile is given up when pictures are deleted on a full disk.
	reserveFile = "reserve"
)

// PrepareFolder makes the folder of the collection if need be, and lets nobody
// but its owner read it, or its group where that was asked for.
func PrepareFolder(config Config, tell Teller, logger *slog.Logger) error {
	folder := config.Folder
	_, err := os.Stat(folder)
	isNew := errors.Is(err, os.ErrNotExist)
	if err := access.MakeFolders(folder); err != nil {
		return fmt.Errorf("folder of the collection: %w", err)
	}
	ours, err := names(folder)
	if err != nil {
		return fmt.Errorf("folder of the collection: %w", err)
	}
	done, err := access.Tighten(folder, config.GroupReadable, ours)
	if err != nil {
		logger.Info("the folder's permissions stay as they are", "folder", folder, "reason", err)
		return nil // another user's, or read-only: it works all the same
	}
	if done.Folder == 0 || isNew || len(ours) == 0 {
		return nil
	}
	if config.GroupReadable {
		note(tell, "From now on %s is for you and the folder's group to read (it had mode %o); %d files and folders in it were changed too.", folder, done.Folder, done.Changed-done.Kept)
		return nil
	}
	note(tell, "Others could read %s (mode %o); from now on only you can, and %d files and folders in it were changed too. Give --group-readable once if a group has to read it, as for backups.", folder, done.Folder, done.Changed-done.Kept)
	return nil
}

// names lists what in a folder is the collection's.
func names(folder string) (ours []string, err error) {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		switch name := entry.Name(); name {
		case ImagesFolder, IndexFolder, leasesFolder, MigrationFolder, reserveFile:
			ours = append(ours, name)
		default:
			if match, _ := filepath.Match(CatalogFile+"*", name); match {
				ours = append(ours, name)
			}
		}
	}
	return ours, err
}

// LookAtRights says of which files and folders of the collection the rights
// are not as they should be, of up to perFolder files of each folder.
func (c *Collection) LookAtRights(perFolder int) (access.Seen, error) {
	ours, err := names(c.config.Folder)
	if err != nil {
		return access.Seen{}, fmt.Errorf("folder of the collection: %w", err)
	}
	return access.Look(c.config.Folder, ours, perFolder)
}
