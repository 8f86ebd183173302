package collection

import (
	"context"
	"fmt"
	"maps"
	"slices"

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

// Judging says which verdicts files come with.
type Judging struct {
	// All is said of every file, whatever else is; empty says nothing.
	All palate.Verdict
	// So many stars and more are a like, and so many and fewer a dislike; with
	// 0 no number of stars is, and with 0 in both the stars mean what
	// palate.Stars says, where no word stands beside them. Stars that are
	// neither are a skip. What a photo program rejected is a dislike.
	LikeFrom, DislikeTo int
}

// Validate reports what can't be meant as palate.ErrInvalid.
func (j Judging) Validate() error {
	switch {
	case j.LikeFrom < 0 || j.LikeFrom > folder.MostStars:
		return fmt.Errorf("--like-from is %d, want 1 to %d stars: %w", j.LikeFrom, folder.MostStars, palate.ErrInvalid)
	case j.DislikeTo < 0 || j.DislikeTo > folder.MostStars:
		return fmt.Errorf("--dislike-to is %d, want 1 to %d stars: %w", j.DislikeTo, folder.MostStars, palate.ErrInvalid)
	case j.LikeFrom > 0 && j.DislikeTo >= j.LikeFrom:
		return fmt.Errorf("--dislike-to %d and --like-from %d: some stars would be both: %w", j.DislikeTo, j.LikeFrom, palate.ErrInvalid)
	}
	return nil
}

func (j Judging) verdict(f folder.File) palate.Verdict {
	switch {
	case j.All != "":
		return j.All
	case f.Stars <= 0:
		return f.Verdict
	case f.Stars <= j.DislikeTo:
		return palate.Dislike
	case j.LikeFrom > 0 && f.Stars >= j.LikeFrom:
		return palate.Like
	case f.Verdict != "":
		return f.Verdict
	case j == Judging{}:
		return f.Grade().Verdict()
	}
	return palate.Skip
}

// ReadPaths lists the pictures in folders and files that are to be imported.
// Metadata that name no file, what was not understood, and what is made of stars
// unasked are told.
func ReadPaths(ctx context.Context, paths []string, judging Judging, tell Teller) (files []folder.File, err error) {
	if err := judging.Validate(); err != nil {
		return nil, asked(err)
	}
	for _, path := range paths {
		listing, err := folder.Scan(ctx, path)
		if err != nil {
			return nil, err
		}
		for _, unmatched := range listing.Unmatched {
			note(tell, "%s: no such file beside it or below", unmatched)
		}
		tellProblems(tell, listing.Problems)
		files = append(files, listing.Files...)
	}
	stars := 0
	for i := range files {
		if files[i].Stars > 0 {
			stars++
		}
		files[i].Verdict = judging.verdict(files[i])
	}
	if stars > 0 && judging == (Judging{}) {
		note(tell, "%d files have stars, which are kept: 4 and 5 are a like, 1 and 2 a dislike, 3 neither; --like-from and --dislike-to draw the lines elsewhere", stars)
	}
	return files, nil
}

// mostProblems is how many of many alike are told one by one.
const mostProblems = 5

func tellProblems(tell Teller, problems []string) {
	for _, problem := range problems[:min(len(problems), mostProblems)] {
		note(tell, "%s; it is left out", problem)
	}
	if more := len(problems) - mostProblems; more > 0 {
		note(tell, "%d more like these are left out", more)
	}
}

// ImportAs implements starter.Steps.
func (c *Collection) ImportAs(ctx context.Context, j *job.Job, files ingest.Import) (ingest.ImportReport, error) {
	return c.importAs(ctx, j, files, progress(ctx, j, Silent{}, "", ""))
}

func (c *Collection) importAs(ctx context.Context, j *job.Job, files ingest.Import, progress func(done, total int64)) (ingest.ImportReport, error) {
	j.Say(ctx, "There are %d files.", len(files.Files))
	files.Run = j.Run.ID
	files.Progress = func(done, total int) { progress(int64(done), int64(total)) }
	report, err := c.Pictures.Import(ctx, files)
	j.Say(ctx, "%d pictures came in, %d were here, %d verdicts came with them.", report.Kept, report.Known, report.Rated)
	for _, reason := range slices.Sorted(maps.Keys(report.Lost)) {
		j.Warn(ctx, "Not taken (%s): %d, such as %s", reason, report.Lost[reason], report.Examples[reason])
	}
	return report, err
}
