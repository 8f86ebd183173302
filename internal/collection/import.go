package collection

import (
	"context"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
)

// Import takes files into the collection, as a job. What there is to say of
// single files is kept for ImportLosses.
func (c *Collection) Import(ctx context.Context, files ingest.Import) (ingest.ImportReport, error) {
	defer c.tell.EndProgress()
	return job.Do(ctx, c.Catalog, job.Import, files.Profile, func(ctx context.Context, j *job.Job) (ingest.ImportReport, error) {
		return c.importAs(ctx, j, files, progress(ctx, j, c.tell, "import", "img"))
	})
}

// ReadPaths lists the pictures in folders and files that are to be imported. A
// verdict that is not empty is said of every one, whatever folder it is in.
// Metadata that name no file beside them are told.
func ReadPaths(ctx context.Context, paths []string, verdict palate.Verdict, tell Teller) (files []folder.File, err error) {
	for _, path := range paths {
		listing, err := folder.Scan(ctx, path)
		if err != nil {
			return nil, err
		}
		for _, unmatched := range listing.Unmatched {
			note(tell, "%s: no such file beside it", unmatched)
		}
		files = append(files, listing.Files...)
	}
	for i := range files {
		if verdict != "" {
			files[i].Verdict = verdict
		}
	}
	return files, nil
}

// ImportAs implements starter.Steps.
func (c *Collection) ImportAs(ctx context.Context, j *job.Job, files ingest.Import) (ingest.ImportReport, error) {
	return c.importAs(ctx, j, files, progress(ctx, j, Silent{}, "", ""))
}

func (c *Collection) importAs(ctx context.Context, j *job.Job, files ingest.Import, progress func(done, total int64)) (ingest.ImportReport, error) {
	files.Run = j.Run.ID
	files.Progress = func(done, total int) { progress(int64(done), int64(total)) }
	return c.Pictures.Import(ctx, files)
}
