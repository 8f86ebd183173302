package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/verify"
)

const (
	// leastFree is below which the disk is a problem.
	leastFree = 1 << 30
	// sampledRows and sampledBytes are how much is looked at, whatever the
	// collection has.
	sampledRows  = 200
	sampledBytes = 256 << 20
	// looksPerFolder is how many files of each folder are looked at for their
	// rights.
	looksPerFolder = 8
)

// lookAtCollection counts what the collection has, and looks at a sample of the
// pictures, at the rights of files and folders, at the disk, the clock and the
// index.
func (d *Diagnosis) lookAtCollection(ctx context.Context, s Subject) error {
	c, err := s.Open(ctx)
	if err != nil {
		return err
	}
	found := Collection{Folder: s.Config.Folder}
	err = d.count(ctx, c, &found)
	d.Collection = &found
	if err == nil {
		d.lookAtDisk(s.Config.Folder)
		d.lookAtIndex(ctx, c, s.Config.Index)
		for _, look := range []func(context.Context, *collection.Collection) error{d.lookAtSample, d.lookAtRights, d.lookAtClock} {
			if err = look(ctx, c); err != nil {
				break
			}
		}
	}
	return errors.Join(err, c.Close())
}

func (d *Diagnosis) count(ctx context.Context, c *collection.Collection, found *Collection) (err error) {
	if err = c.Store.Ready(ctx); err != nil {
		return err
	}
	if found.Images, err = c.Catalog.CountImages(ctx, index.Filter{}); err != nil {
		return err
	}
	tombstones, err := c.Catalog.Tombstones(ctx)
	if err != nil {
		return err
	}
	found.Tombstones = len(tombstones)
	damage, err := c.Catalog.CountDamage(ctx)
	if err != nil {
		return err
	}
	found.Damaged, found.Undecoded = damage.Damaged, damage.Unknown
	models, err := c.Catalog.Models(ctx)
	if err != nil || d.Model == nil {
		return err
	}
	for _, m := range models {
		if string(m.ID) != d.Model.ID {
			continue
		}
		failures, err := c.Catalog.EmbeddingFailures(ctx, m.ID)
		if err != nil {
			return err
		}
		found.Failed = len(failures)
		found.Embedded, err = c.Catalog.CountEmbeddings(ctx, m.ID)
		return err
	}
	return nil
}

func (d *Diagnosis) lookAtSample(ctx context.Context, c *collection.Collection) error {
	report, err := verify.Sample(ctx, c.Verified(), sampledRows, sampledBytes)
	if err != nil {
		return err
	}
	d.Collection.Files = &report
	for _, damage := range slices.Sorted(maps.Keys(report.Found)) {
		d.problem("files: %d of %d that were looked at are %s: %s; palate verify --deep looks at all of them and names them, --repair mends what it can",
			report.Found[damage], report.Rows, damage, damage.Is())
	}
	return nil
}

func (d *Diagnosis) lookAtRights(_ context.Context, c *collection.Collection) error {
	seen, err := c.LookAtRights(looksPerFolder)
	if err != nil {
		return err
	}
	d.Collection.Rights = &seen
	for _, fault := range slices.Sorted(maps.Keys(seen.Found)) {
		d.problem("rights: %s (%d of %d files and folders that were looked at): %s: %s",
			seen.First[fault], seen.Found[fault], seen.Files+seen.Folders, fault, fault.Advice(c.Folder()))
	}
	return nil
}

func (d *Diagnosis) lookAtDisk(folder string) {
	if free, known := ingest.FreeSpace(folder); known {
		if d.Collection.FreeBytes = free; free < leastFree {
			d.problem("disk: %d MB are free in %s: make room, for embedding and backups write there", free/1e6, folder)
		}
	}
}

func (d *Diagnosis) lookAtIndex(ctx context.Context, c *collection.Collection, address string) {
	d.Collection.Index = "embedded, made from the catalog when it is needed"
	if address == collection.EmbeddedIndex || d.Model == nil { // that is told already
		return
	}
	about, problems := c.LookAtServer(ctx, palate.ModelID(d.Model.ID), d.Model.Dim)
	if about != "" {
		d.Collection.Index = about
	}
	for _, problem := range problems {
		d.problem("index: %s", problem)
	}
}

func (d *Diagnosis) lookAtClock(ctx context.Context, c *collection.Collection) error {
	looks, problems, err := c.LookAtClock(ctx)
	d.Collection.Clock = &looks
	for _, problem := range problems {
		d.problem("clock: %s", problem)
	}
	return err
}

// Words say what the collection has and, of damaged pictures, what to do.
func (c *Collection) Words() []string {
	lines := []string{fmt.Sprintf("Collection   %s: %d images, %d embedded, %d that can't be, %d deleted", c.Folder, c.Images, c.Embedded, c.Failed, c.Tombstones)}
	if c.Damaged > 0 {
		lines = append(lines, fmt.Sprintf("Damaged      %d of %d images came damaged; what is there of them is shown. palate images list --damaged names them: take whole files in instead, or delete them", c.Damaged, c.Images))
	}
	if c.Undecoded > 0 {
		lines = append(lines, fmt.Sprintf("Damaged      of %d images it is not known yet whether they came damaged: palate verify --deep decodes them, as embedding does", c.Undecoded))
	}
	if c.Index != "" {
		lines = append(lines, "Index        "+c.Index)
	}
	return lines
}

// looked says what of the collection was looked at.
func (c *Collection) looked() string {
	text := fmt.Sprintf("%d of %d pictures (%d of them read whole; palate verify --deep reads all)", c.Files.Rows, c.Images, c.Files.Read)
	if c.Rights != nil {
		text += fmt.Sprintf(", the rights of %d files and folders", c.Rights.Files+c.Rights.Folders)
	}
	return text + fmt.Sprintf(", free space, the clock, the index (%s)", c.Index)
}
