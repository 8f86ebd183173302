package collection

import (
	"context"

	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/works"
)

// LookForCopies looks for pictures that show one work, as a job.
func (m *Model) LookForCopies(ctx context.Context) (works.Report, error) {
	if err := m.CatchUp(ctx); err != nil {
		return works.Report{}, err
	}
	defer m.tell.EndProgress()
	return job.Do(ctx, m.Catalog, job.Copies, "", func(ctx context.Context, j *job.Job) (works.Report, error) {
		return m.lookForCopies(ctx, progress(ctx, j, m.tell, "copies", "picture"))
	})
}

// CopiesAs implements starter.Steps.
func (m *Model) CopiesAs(ctx context.Context, j *job.Job) (works.Report, error) {
	return m.lookForCopies(ctx, func(done, total int64) { j.Progress(ctx, done, total) })
}

func (m *Model) lookForCopies(ctx context.Context, progress func(done, total int64)) (works.Report, error) {
	return works.Look(ctx, works.Parts{Catalog: m.Catalog, Index: m.Index, Sketch: m.Pictures.Sketch, Progress: progress})
}
