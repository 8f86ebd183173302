package main

import (
	"context"
	"errors"
	"fmt"

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
		err = s.Show(report, func() { s.SayAll(report.Words()) })
		for _, name := range report.Spared {
			s.Notef("the backup of %s is kept beyond --keep: it knows more than the collection does today; if that is as it should be, remove it by hand", name)
		}
		return errors.Join(err, report.Err())
	})
}

func (s *session) listBackups(path string) error {
	if backup.IsArchive(path) {
		return usagef("%s is an archive, which holds one backup", path)
	}
	list, err := backup.List(path)
	if err != nil {
		return err
	}
	return terminal.List(s.Terminal, list, "There is no backup in "+path+".", []string{"BACKUP", "PICTURES", "SIZE", "CATALOG", "ELSEWHERE", "MISSING"}, func(m backup.Manifest) []string {
		return []string{m.Name(), fmt.Sprint(m.Files), terminal.Bytes(m.FileBytes), terminal.Bytes(m.CatalogBytes), fmt.Sprint(len(m.Referenced)), fmt.Sprint(len(m.Missing))}
	})
}
