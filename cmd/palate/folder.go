package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/palate-art/palate/internal/access"
)

// What lies in the folder of a collection, beside the catalog's file.
const (
	imagesFolder    = "images"
	indexFolder     = "index"
	leasesFolder    = "leases"
	migrationFolder = "before-migration"
)

// prepareFolder makes the folder of the collection if need be, and lets nobody
// but its owner read it, or its group with --group-readable.
func prepareFolder(s *session) error {
	_, err := os.Stat(s.Data)
	isNew := errors.Is(err, os.ErrNotExist)
	if err := access.MakeFolders(s.Data); err != nil {
		return fmt.Errorf("folder of the collection: %w", err)
	}
	ours, err := namesOfCollection(s.Data)
	if err != nil {
		return fmt.Errorf("folder of the collection: %w", err)
	}
	done, err := access.Tighten(s.Data, s.GroupReadable, ours)
	if err != nil {
		s.logger.Info("the folder's permissions stay as they are", "folder", s.Data, "reason", err)
		return nil // another user's, or read-only: it works all the same
	}
	if done.Folder == 0 || isNew || len(ours) == 0 {
		return nil
	}
	if s.GroupReadable {
		s.note("From now on %s is for you and the folder's group to read (it had mode %o); %d files and folders in it were changed too.", s.Data, done.Folder, done.Changed-done.Kept)
		return nil
	}
	s.note("Others could read %s (mode %o); from now on only you can, and %d files and folders in it were changed too. Give --group-readable once if a group has to read it, as for backups.", s.Data, done.Folder, done.Changed-done.Kept)
	return nil
}

// namesOfCollection lists what in a folder is the collection's.
func namesOfCollection(folder string) (ours []string, err error) {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		switch name := entry.Name(); name {
		case imagesFolder, indexFolder, leasesFolder, migrationFolder, reserveFile:
			ours = append(ours, name)
		default:
			if match, _ := filepath.Match(catalogFile+"*", name); match {
				ours = append(ours, name)
			}
		}
	}
	return ours, err
}

// readOnly is nil, or says why the collection can be looked at and not
// changed.
func (h *home) readOnly() error { return h.catalog.ReadOnly() }

// tellOfCatalog says what opening the catalog found or did.
func (h *home) tellOfCatalog() {
	if err := h.readOnly(); err != nil {
		h.session.note("%s", explain(err))
	}
	if m := h.catalog.Migrated(); m.Copy != "" {
		h.session.note("The catalog was brought from schema version %d to %d; as it was before, it is kept at %s.", m.From, m.To, m.Copy)
	}
}
