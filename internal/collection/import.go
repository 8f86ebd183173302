package collection

import (
	"context"

	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
)

// Import takes files into the collection, as a job.
func (c *Collection) Import(ctx context.Context, files ingest.Import) (ingest.ImportReport, error) {
	defer c.tell.EndProgress()
	return job.Do(ctx, c.Catalog, job.Import, files.Profile, func(ctx context.Context, j *job.Job) (ingest.ImportReport, error) {
		return c.importAs(ctx, files, progress(ctx, j, c.tell, "import", "img"))
	})
}

// ImportAs implements starter.Steps.
func (c *Collection) ImportAs(ctx context.Context, j *job.Job, files ingest.Import) (ingest.ImportReport, error) {
	return c.importAs(ctx, files, progress(ctx, j, Silent{}, "", ""))
}

func (c *Collection) importAs(ctx context.Context, files ingest.Import, progress func(done, total int64)) (ingest.ImportReport, error) {
	files.Progress = func(done, total int) { progress(int64(done), int64(total)) }
	return c.Pictures.Import(ctx, files)
}
