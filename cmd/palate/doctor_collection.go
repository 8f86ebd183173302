package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

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
			report.Found[damage], report.Rows, damage, damage.Is())
	}
	return nil
}

func (d *diagnosis) lookAtRights(_ context.Context, h *collection.Collection) error {
	seen, err := h.LookAtRights(looksPerFolder)
	if err != nil {
		return err
	}
	d.Collection.Rights = &seen
	for _, fault := range slices.Sorted(maps.Keys(seen.Found)) {
		d.problem("rights: %s (%d of %d files and folders that were looked at): %s: %s",
			seen.First[fault], seen.Found[fault], seen.Files+seen.Folders, fault, fault.Advice(h.Folder()))
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

func (d *diagnosis) lookAtClock(ctx context.Context, h *collection.Collection) error {
	looks, problems, err := h.LookAtClock(ctx)
	d.Collection.Clock = &looks
	for _, problem := range problems {
		d.problem("clock: %s", problem)
	}
	return err
}

// looked says what of the collection was looked at.
func (c *collectionDiagnosis) looked() string {
	text := fmt.Sprintf("%d of %d pictures (%d of them read whole; palate verify --deep reads all)", c.Files.Rows, c.Images, c.Files.Read)
	if c.Rights != nil {
		text += fmt.Sprintf(", the rights of %d files and folders", c.Rights.Files+c.Rights.Folders)
	}
	return text + fmt.Sprintf(", free space, the clock, the index (%s)", c.Index)
}
