package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/verify"
)

const (
	// leastFree is below which doctor speaks of the disk.
	leastFree = 1 << 30
	// sampledRows and sampledBytes are how much doctor looks at, whatever the
	// collection has.
	sampledRows  = 200
	sampledBytes = 256 << 20
	// looksPerFolder is how many files of each folder it looks at for their
	// rights.
	looksPerFolder = 8
)

// lookAtCollection looks at a sample of the pictures, at the rights of files
// and folders, at the disk, the clock and the index.
func (d *diagnosis) lookAtCollection(ctx context.Context, s *session, h *collection.Collection) error {
	d.lookAtDisk(s.Data)
	d.lookAtIndex(ctx, s, h)
	for _, look := range []func(context.Context, *collection.Collection) error{d.lookAtSample, d.lookAtRights, d.lookAtClock} {
		if err := look(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

func (d *diagnosis) problem(format string, args ...any) {
	d.Problems = append(d.Problems, fmt.Sprintf(format, args...))
}

func (d *diagnosis) lookAtSample(ctx context.Context, h *collection.Collection) error {
	report, err := verify.Sample(ctx, h.Verified(), sampledRows, sampledBytes)
	if err != nil {
		return err
	}
	d.Collection.Files = &report
	for _, damage := range slices.Sorted(maps.Keys(report.Found)) {
		d.problem("files: %d of %d that were looked at are %s: %s; palate verify --deep looks at all of them and names them, --repair mends what it can",
			report.Found[damage], report.Rows, damage, damageText[damage].is)
	}
	return nil
}

// rightsAdvice says what to do about what access.Look finds.
var rightsAdvice = map[access.Fault]string{
	access.ForOthers:  "chmod -R go= FOLDER lets nobody but you read it",
	access.Strangers:  "let palate run as the user that it belongs to, or give it to this one (chown -R)",
	access.Unreadable: "give this user the right to read it (chmod -R u+rX FOLDER), or run palate as the user that it belongs to",
	access.Unwritable: "give this user the right to write there (chmod -R u+w FOLDER); until then the collection can be looked at and not changed",
}

func (d *diagnosis) lookAtRights(_ context.Context, h *collection.Collection) error {
	seen, err := h.LookAtRights(looksPerFolder)
	if err != nil {
		return err
	}
	d.Collection.Rights = &seen
	for _, fault := range slices.Sorted(maps.Keys(seen.Found)) {
		d.problem("rights: %s (%d of %d files and folders that were looked at): %s: %s",
			seen.First[fault], seen.Found[fault], seen.Files+seen.Folders, fault, strings.ReplaceAll(rightsAdvice[fault], "FOLDER", h.Folder()))
	}
	return nil
}

func (d *diagnosis) lookAtDisk(folder string) {
	if free, known := ingest.FreeSpace(folder); known {
		if d.Collection.FreeBytes = free; free < leastFree {
			d.problem("disk: %d MB are free in %s: make room, for embedding and backups write there", free/1e6, folder)
		}
	}
}

func (d *diagnosis) lookAtIndex(ctx context.Context, s *session, h *collection.Collection) {
	d.Collection.Index = "embedded, made from the catalog when it is needed"
	if s.IndexAddress == collection.EmbeddedIndex {
		return
	}
	if config, err := collection.ServerConfig(s.IndexAddress); err == nil && d.Model != nil { // else it is told already
		new(doctorCommand).lookAtServer(ctx, s, h.Catalog, config, d)
	}
}

// clockLooks is what doctor says of the machine's clock.
type clockLooks struct {
	Now     time.Time `json:"now"`
	Doubted time.Time `json:"doubted,omitzero"` // since when, by this clock
	From    time.Time `json:"from,omitzero"`    // what it had said before
	Tasks   int       `json:"tasks"`            // of crawls that wait for longer than any site may ask
}

// lookAtClock tells of a clock that went back, and of what waits because it
// had run ahead. One that went on is no problem: the collection may have lain
// unused.
func (d *diagnosis) lookAtClock(ctx context.Context, h *collection.Collection) error {
	looks := clockLooks{Now: time.Now()}
	d.Collection.Clock = &looks
	clock, err := h.Pictures.LookAtClock(ctx)
	if err != nil {
		return err
	}
	looks.Doubted, looks.From = clock.Doubted, clock.From
	if clock.Back() > 0 {
		d.problem("clock: %s", ingest.ClockText(clock))
	}
	if looks.Tasks, err = h.Catalog.DueBeyond(ctx, looks.Now.Add(crawler.LongestWait)); err != nil {
		return err
	}
	if looks.Tasks > 0 {
		d.problem("clock: %d addresses of crawls wait for longer than a site may ask: the clock was ahead when they were put off, or is behind now; once it is right, palate crawl visits them at once", looks.Tasks)
	}
	return nil
}

// looked says what of the collection was looked at.
func (c *collectionDiagnosis) looked() string {
	text := fmt.Sprintf("%d of %d pictures (%d of them read whole; palate verify --deep reads all)", c.Files.Rows, c.Images, c.Files.Read)
	if c.Rights != nil {
		text += fmt.Sprintf(", the rights of %d files and folders", c.Rights.Files+c.Rights.Folders)
	}
	return text + fmt.Sprintf(", free space, the clock, the index (%s)", c.Index)
}
