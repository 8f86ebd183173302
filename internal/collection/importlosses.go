package collection

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/terminal"
)

// ImportLoss is one file that an import did not take, or took though it is
// damaged.
type ImportLoss struct {
	Path   string `json:"path"`
	Reason string `json:"reason"` // a short word, by which the report of the import counts
	Kept   bool   `json:"kept"`   // it is in the collection all the same
	What   string `json:"what"`
}

// ImportLosses is all that an import has to say of single files.
type ImportLosses struct {
	Job    int64            `json:"job"`
	State  catalog.RunState `json:"state"`
	Began  time.Time        `json:"started_at"`
	Ended  time.Time        `json:"finished_at,omitzero"`
	Seen   int64            `json:"seen"`
	Kept   *int             `json:"kept,omitempty"` // absent if the import did not come to its report
	Known  *int             `json:"known,omitempty"`
	Told   int              `json:"told"`   // how many losses there were; more than Losses if the list is not whole any more
	Losses []ImportLoss     `json:"losses"` // in the order of the files
}

// ImportLosses gives what the import of that number lost, or the last one if it
// is 0. palate.ErrNotFound without such a job, palate.ErrInvalid for one that is
// no import.
func (c *Collection) ImportLosses(ctx context.Context, id int64) (ImportLosses, error) {
	run, err := c.importRun(ctx, id)
	if err != nil {
		return ImportLosses{}, err
	}
	l := ImportLosses{Job: run.ID, State: run.State, Began: run.StartedAt, Ended: run.FinishedAt, Seen: run.Done, Told: run.Losses, Losses: []ImportLoss{}}
	var report *ingest.ImportReport
	if err := json.Unmarshal(run.Result, &report); err == nil && report != nil && report.Lost != nil {
		l.Seen, l.Kept, l.Known = int64(report.Seen), &report.Kept, &report.Known
	}
	for after := int64(0); ; {
		some, err := c.Catalog.RunLosses(ctx, run.ID, "", after, lossesAtOnce)
		if err != nil {
			return ImportLosses{}, err
		}
		for _, loss := range some {
			l.Losses = append(l.Losses, ImportLoss{loss.Path, loss.Reason, loss.Kept, loss.What})
		}
		if len(some) < lossesAtOnce {
			return l, nil
		}
		after = some[len(some)-1].Number
	}
}

// importRun finds the run of an import.
func (c *Collection) importRun(ctx context.Context, id int64) (catalog.Run, error) {
	if id != 0 {
		run, err := c.Catalog.RunByID(ctx, id)
		if err == nil && run.Kind != string(job.Import) {
			err = fmt.Errorf("job %d is no import, but of the kind %s: %w", id, run.Kind, palate.ErrInvalid)
		}
		return run, err
	}
	for before := int64(0); ; {
		runs, err := c.Catalog.ListRuns(ctx, before, lossesAtOnce)
		if err != nil {
			return catalog.Run{}, err
		}
		for _, run := range runs {
			if run.Kind == string(job.Import) {
				return run, nil
			}
		}
		if len(runs) < lossesAtOnce {
			return catalog.Run{}, fmt.Errorf("nothing was imported into this collection yet: %w", palate.ErrNotFound)
		}
		before = runs[len(runs)-1].ID
	}
}

// Words tell people of the import and of what its list lacks.
func (l ImportLosses) Words() []string {
	line := fmt.Sprintf("Job %d, the import of %s: %s, %d files seen", l.Job, terminal.Minute(l.Began), l.State, l.Seen)
	if l.Kept != nil {
		line += fmt.Sprintf(", %d kept, %d known", *l.Kept, *l.Known)
	}
	lines := []string{fmt.Sprintf("%s, %d lost or damaged.", line, l.Told)}
	if missing := l.Told - len(l.Losses); missing > 0 {
		lines = append(lines, fmt.Sprintf("%d of them are not listed: lists are kept of the last %d imports that lost something, and of each the first %d.",
			missing, catalog.RunsWithLosses, catalog.MostRunLosses))
	}
	return lines
}

// Row gives the columns of a list of losses.
func (l ImportLoss) Row() []string {
	if l.Kept {
		return []string{l.Path, l.Reason, "yes", l.What}
	}
	return []string{l.Path, l.Reason, "no", l.What}
}

// Table gives the list as a table under its heads; of none, nothing.
func (l ImportLosses) Table() [][]string {
	if len(l.Losses) == 0 {
		return nil
	}
	rows := [][]string{{"FILE", "REASON", "KEPT", "WHAT"}}
	for _, loss := range l.Losses {
		rows = append(rows, loss.Row())
	}
	return rows
}

// AdoptQuestion asks whoever adopts the files of a collection's folder.
func AdoptQuestion(folder string) string {
	return fmt.Sprintf("Every picture file in %s that the catalog does not know becomes an image of the collection. "+
		"What only a lost catalog knew is gone: titles, sources, ratings. Pictures that were deleted may return. "+
		"A backup (palate restore) would bring all of it back. Go on?", folder)
}

// WriteCSV writes the list as CSV (RFC 4180) under the names file, reason, kept
// and what.
func (l ImportLosses) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"file", "reason", "kept", "what"}) // Error tells
	for _, loss := range l.Losses {
		_ = out.Write(loss.Row())
	}
	out.Flush()
	return out.Error()
}
