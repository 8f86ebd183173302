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
		files.Progress = func(done, total int) {
			c.tell.Progress("import", "img", int64(done), int64(total))
			j.Progress(ctx, int64(done), int64(total))
		}
		return c.Pictures.Import(ctx, files)
	})
}
