package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
)

type verifyCommand struct {
	Deep bool `help:"Read every file and compare its SHA-256, instead of its presence and length alone."`
}

// damageText says what a kind of damage is, and what to do.
var damageText = map[ingest.Damage]string{
	ingest.FileMissing:      "the file is gone: import or crawl the picture again, or delete the image",
	ingest.FileResized:      "the file has another length: import or crawl the picture again",
	ingest.FileDamaged:      "the file has another content: import or crawl the picture again",
	ingest.ReferenceChanged: "the original was changed since: import it again, it is another picture now",
	ingest.FileUnreadable:   "the file can't be read: look at its permissions and at the disk",
	ingest.FileOrphaned:     "no row knows the file: palate import --adopt takes it into the collection",
}

// Run holds files and rows against each other.
func (c *verifyCommand) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error { return c.verify(ctx, s, h) })
}

func (c *verifyCommand) verify(ctx context.Context, s *session, h *collection.Collection) error {
	check, err := h.Pictures.CheckFiles(ctx, c.Deep, func(done, total int) { s.progress("verify", "img", int64(done), int64(total)) })
	s.finishProgress()
	if err != nil {
		return err
	}
	if s.JSON {
		err = s.print(check)
	} else {
		s.printCheck(check)
	}
	if err == nil && !check.Well() {
		err = errDamaged
	}
	return err
}

// errDamaged is the failure of a verification; what is wrong is told before.
var errDamaged = errors.New("the collection is not whole")

func (s *session) printCheck(check ingest.Check) {
	rows := [][]string{{"DAMAGE", "IMAGE", "TITLE", "DETAIL"}}
	for _, f := range check.Findings {
		rows = append(rows, []string{string(f.Damage), f.Image.String(), shorten(f.Title, 40), f.Detail})
	}
	if len(rows) > 1 {
		s.table(rows...)
	}
	for _, damage := range slices.Sorted(maps.Keys(check.Found)) {
		more := ""
		if n := check.MoreOf[damage]; n > 0 {
			more = fmt.Sprintf(" (%d of them not listed)", n)
		}
		s.say("%d %s%s: %s.", check.Found[damage], damage, more, damageText[damage])
	}
	looked := fmt.Sprintf("%d rows and %d files were looked at, by presence and length; --deep reads every file", check.Rows, check.Files)
	if check.Deep {
		looked = fmt.Sprintf("%d rows and %d files were looked at, %d of them read whole (%d MB)", check.Rows, check.Files, check.Read, check.Bytes/1e6)
	}
	if check.Well() {
		looked += ". Nothing is wrong with them"
	}
	s.say("%s. The index is looked at by palate index verify.", looked)
}
