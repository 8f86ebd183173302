package ingest

import (
	"context"

	"github.com/palate-art/palate/internal/catalog"
)

// lossesAtOnce is how many losses are written in one commit, so that thousands
// of them slow no import. A killed import forgets at most so many.
const lossesAtOnce = 500

// lossList writes what a run lost into its list in the catalog, some at a time.
type lossList struct {
	catalog catalog.Catalog
	run     int64 // 0 keeps none
	waiting []catalog.RunLoss
	kept    bool // some are in the list
}

func (l *lossList) add(loss catalog.RunLoss) {
	if l.run != 0 {
		l.waiting = append(l.waiting, loss)
	}
}

func (l *lossList) flushIfLong(ctx context.Context) error {
	if len(l.waiting) < lossesAtOnce {
		return nil
	}
	return l.flush(ctx)
}

func (l *lossList) flush(ctx context.Context) error {
	if len(l.waiting) == 0 {
		return nil
	}
	if err := l.catalog.AddRunLosses(ctx, l.run, l.waiting); err != nil {
		return err
	}
	l.waiting, l.kept = l.waiting[:0], true
	return nil
}
