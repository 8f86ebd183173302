package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
)

type backupCommand struct {
	Path           string `arg:"" help:"Folder, to which each backup adds what is new; or a file, one .tar archive." type:"path"`
	WithReferenced bool   `help:"Copy the files too that the collection only references (import --store reference)."`
	Deep           bool   `help:"Read every picture of the backup again, not only the new ones, and replace damaged ones."`
	Keep           int    `help:"How many backups stay in a folder: older ones are removed, with the pictures that only they have. 0 keeps all." default:"0" placeholder:"N"`
	List           bool   `help:"Show the backups in a folder instead."`
}

// Run backs up the collection, which may be in use.
func (c *backupCommand) Run(ctx context.Context, s *session) error {
	if c.Keep < 0 {
		return usagef("--keep is %d, want 0 or more", c.Keep)
	}
	if c.List {
		return s.listBackups(c.Path)
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		report, err := h.Backup(ctx, c.Path, backup.Options{Program: version(), WithReferenced: c.WithReferenced, Deep: c.Deep, Keep: c.Keep})
		if err != nil {
			return err
		}
		return s.printBackup(report)
	})
}

// printBackup says what was backed up. Pictures that could not be are an
// error, behind the report: the backup holds all the rest.
func (s *session) printBackup(r backup.Report) error {
	if s.JSON {
		if err := s.Print(r); err != nil {
			return err
		}
	} else {
		m := r.Manifest
		s.Say("%s: %d pictures (%s), %d of them new, and the catalog (%s); read again and well",
			filepath.Join(r.Path, r.Snapshot), m.Files, terminal.Bytes(m.FileBytes), r.New, terminal.Bytes(m.CatalogBytes))
		if n := len(m.Referenced); n > 0 {
			s.Say("Not in it: %d pictures that lie outside the collection, such as %s; --with-referenced copies them too", n, m.Referenced[0].Path)
		}
		if n := len(m.Deleted); n > 0 {
			s.Say("%d pictures were deleted meanwhile and are not in it", n)
		}
		if r.Mended > 0 {
			s.Say("%d pictures of the backup were damaged and have been replaced", r.Mended)
		}
		if len(r.Removed) > 0 {
			s.Say("Removed: %d older backups", len(r.Removed))
		}
	}
	for _, name := range r.Spared {
		s.Notef("the backup of %s is kept beyond --keep: it knows more than the collection does today; if that is as it should be, remove it by hand", name)
	}
	if missing := r.Manifest.Missing; len(missing) > 0 {
		return fmt.Errorf("all but %d pictures were backed up: image %s: %s", len(missing), missing[0].ID, missing[0].Reason)
	}
	return nil
}

func (s *session) listBackups(path string) error {
	if backup.IsArchive(path) {
		return usagef("%s is an archive, which holds one backup", path)
	}
	list, err := backup.List(path)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(list)
	}
	rows := [][]string{{"BACKUP", "PICTURES", "SIZE", "CATALOG", "ELSEWHERE", "MISSING"}}
	for _, m := range list {
		rows = append(rows, []string{m.Name(), fmt.Sprint(m.Files), terminal.Bytes(m.FileBytes), terminal.Bytes(m.CatalogBytes), fmt.Sprint(len(m.Referenced)), fmt.Sprint(len(m.Missing))})
	}
	s.Table(rows...)
	return nil
}
