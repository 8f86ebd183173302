package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/verify"
)

type verifyCommand struct {
	Deep      bool          `help:"Read every file and compare its SHA-256, decode every thumbnail, compare every point of the index, and read the whole catalog, instead of presence, lengths and a sample."`
	Repair    bool          `help:"Mend what can be mended from what is there. Nothing that may be yours is deleted: files without a row are moved aside, for 30 days."`
	OlderThan time.Duration `help:"Leave files without a row alone that came later than this ago, as their row may come yet." default:"1m" placeholder:"DURATION"`
}

// damageText says what a kind of damage is, and what to do where it was not
// mended.
var damageText = map[verify.Damage]struct{ is, advice string }{
	verify.FileMissing:        {"the file is gone", "import or crawl the picture again, or delete the image"},
	verify.FileResized:        {"the file has another length", "import or crawl the picture again"},
	verify.FileDamaged:        {"the file has another content", "import or crawl the picture again"},
	verify.ReferenceChanged:   {"the original was changed since", "import it again, it is another picture now"},
	verify.FileUnreadable:     {"the file can't be read", "look at its permissions and at the disk"},
	verify.FileOrphaned:       {"no row knows the file", fmt.Sprintf("palate import --adopt takes it into the collection; --repair moves up to %d aside", ingest.MaxOrphans)},
	verify.ThumbnailDamaged:   {"the thumbnail is no whole picture", "--repair removes it, and it is made again when it is asked for"},
	verify.ThumbnailOrphaned:  {"the thumbnail is of no image", "--repair removes it"},
	verify.EmbeddingDamaged:   {"the embedding can't be used", "--repair removes it, and palate embed makes it again"},
	verify.EmbeddingOrphaned:  {"the embedding is of no image", "--repair removes it"},
	verify.EmbeddingForgotten: {"the image has no embedding, and no run would make one", "--repair lists it again for palate embed"},
	verify.StandingsDiffer:    {"what stands for the profile is not what its log of ratings gives", "--repair works it out from the log again"},
	verify.IndexMissing:       {"the index lacks the embedding", "--repair fills the index anew"},
	verify.IndexForeign:       {"the index has a point that the catalog does not know", "--repair fills the index anew"},
	verify.IndexDamaged:       {"the index has another vector", "--repair fills the index anew"},
	verify.IndexOutdated:      {"the index has other attributes", "--repair fills the index anew"},
	verify.CatalogDamaged:     {"the catalog's file contradicts itself", "restore a backup (palate restore BACKUP --replace)"},
}

// Run holds the parts of the collection against each other.
func (c *verifyCommand) Run(ctx context.Context, s *session) error {
	if c.OlderThan < 0 {
		return usagef("--older-than is %v, want 0 or more", c.OlderThan)
	}
	return s.withHome(ctx, func(h *collection.Collection) error { return c.verify(ctx, s, h) })
}

func (c *verifyCommand) verify(ctx context.Context, s *session, h *collection.Collection) error {
	if c.Repair {
		if err := h.ReadOnly(); err != nil {
			return fmt.Errorf("--repair writes: %w", err)
		}
	}
	config := verify.DefaultConfig()
	config.Deep, config.Repair, config.OlderThan = c.Deep, c.Repair, c.OlderThan
	config.Progress = func(what string, done, total int) { s.progress("verify "+what, "", int64(done), int64(total)) }
	report, err := verify.Run(ctx, h.Verified(), config)
	s.finishProgress()
	if err != nil {
		return err
	}
	if s.JSON {
		err = s.print(report)
	} else {
		s.printReport(report, c.Repair)
	}
	switch {
	case err != nil || report.Well():
		return err
	case len(report.Left()) == 0:
		return errors.New("not all of the collection could be looked at")
	}
	return errors.New("the collection is not whole")
}

func (s *session) printReport(r verify.Report, repair bool) {
	rows := [][]string{{"DAMAGE", "OF", "TITLE", "DETAIL"}}
	for _, f := range r.Findings {
		of := string(f.Profile)
		if of == "" && !f.Image.IsZero() {
			of = f.Image.String()
		}
		detail := f.Detail
		if f.Mended != "" {
			detail = strings.TrimPrefix(detail+"; "+f.Mended, "; ")
		}
		rows = append(rows, []string{string(f.Damage), of, shorten(f.Title, 40), detail})
	}
	if len(rows) > 1 {
		s.table(rows...)
	}
	left := r.Left()
	for _, damage := range slices.Sorted(maps.Keys(r.Found)) {
		text, note := damageText[damage], ""
		if n := r.MoreOf[damage]; n > 0 {
			note = fmt.Sprintf(" (%d of them not listed)", n)
		}
		line := fmt.Sprintf("%d %s%s: %s", r.Found[damage], damage, note, text.is)
		switch n := left[damage]; {
		case n == 0:
			line += "; mended"
		case n < r.Found[damage]:
			line += fmt.Sprintf("; %d mended, of the others: %s", r.Found[damage]-n, text.advice)
		default:
			line += "; " + text.advice
		}
		s.say("%s.", line)
	}
	for _, skipped := range r.Skipped {
		s.say("Not looked at: %s.", skipped)
	}
	s.say("%s", s.looked(r))
	switch {
	case len(r.Found) == 0 && r.Well():
		s.say("Nothing is wrong with them.")
	case r.Well():
		s.say("Everything that was wrong is mended.")
	case !repair && len(left) > 0:
		s.say("palate verify --repair mends what can be mended from what is there.")
	}
}

// looked says of what a verification speaks.
func (s *session) looked(r verify.Report) string {
	how := "by presence and length, and the index by a sample; --deep reads all of it"
	if r.Deep {
		how = fmt.Sprintf("%d of the files read whole (%d MB)", r.Read, r.Bytes/1e6)
	}
	young := ""
	if r.Young > 0 {
		young = fmt.Sprintf(" %d files without a row came so lately that their row may come yet.", r.Young)
	}
	return fmt.Sprintf("%d rows, %d files, %d thumbnails, %d embeddings, the standing ratings of %d profiles and %d points of the index were looked at: %s.%s",
		r.Rows, r.Files, r.Thumbnails, r.Embeddings, r.Profiles, r.Points, how, young)
}
