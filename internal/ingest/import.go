package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/picture"
)

// StoreMode says how an import keeps the files.
type StoreMode string

// The modes.
const (
	// Copy copies the files into the image store.
	Copy StoreMode = "copy"
	// Link makes hard links: no second copy, as long as both are on one disk.
	Link StoreMode = "link"
	// Reference leaves the files where they are and notices when they
	// change or go.
	Reference StoreMode = "reference"
)

// Import is one import of files.
type Import struct {
	Files []folder.File
	Mode  StoreMode

	// Profile rates the files that have a verdict.
	Profile palate.Profile

	// Within is what reads the files; the zero Reader reads any.
	Within folder.Reader

	// Run is the running run whose list of losses gets every file that is lost
	// or damaged, see catalog.RunLosses; 0 keeps none.
	Run int64

	// Progress, if not nil, is told how many files of how many are done.
	Progress func(done, total int)
}

// ImportReport is the funnel of an import. Seen = Kept + Known + all of Lost.
type ImportReport struct {
	Seen  int            `json:"seen"`
	Kept  int            `json:"kept"`
	Known int            `json:"known"`
	Rated int            `json:"rated"`
	Lost  map[string]int `json:"lost"` // by reason, see picture.Reason
	// Examples gives one file of each reason.
	Examples map[string]string `json:"examples,omitempty"`
	// Damaged are those of the new ones that are shown though some of them is
	// missing or wrong.
	Damaged int `json:"damaged,omitempty"`
	// BothWays are the files whose picture another file of the same import, of
	// equal content, says another verdict of. What comes later counts.
	BothWays int      `json:"judged_both_ways,omitempty"`
	bothWays []string // the first of them, with both paths
	// Job is the run in whose list every file stands that was lost or is
	// damaged, if there are any and the list is kept.
	Job int64 `json:"job,omitempty"`
}

// reasonBothWays is the reason in a list of losses of a picture that is liked in
// one place and disliked in another.
const reasonBothWays = "judged_both_ways"

// mostBothWays is how many of those Words name.
const mostBothWays = 5

// Words say what became of damaged files and of those that are judged both ways,
// and where all that were lost are listed.
func (r ImportReport) Words() (lines []string) {
	lines = append(lines, r.bothWays...)
	if more := r.BothWays - len(r.bothWays); more > 0 {
		lines = append(lines, fmt.Sprintf("%d more pictures are judged both ways", more))
	}
	if r.Damaged > 0 {
		lines = append(lines, fmt.Sprintf("%d of the pictures kept are damaged, and shown as far as they go", r.Damaged))
	}
	if r.Job > 0 {
		lines = append(lines, fmt.Sprintf("every one of these files, with its reason: palate import report %d", r.Job))
	}
	return lines
}

func (r *ImportReport) bothWaysIn(path, what string) {
	if r.BothWays++; len(r.bothWays) < mostBothWays {
		r.bothWays = append(r.bothWays, path+": "+what)
	}
}

func (r *ImportReport) lose(reason, path string, err error) {
	r.Lost[reason]++
	if _, there := r.Examples[reason]; !there {
		r.Examples[reason] = fmt.Sprintf("%s: %v", path, err)
	}
}

// Import adds files and rates those that have a verdict, unless the profile
// has said the same of them before. A file that can't be used is counted with
// its reason; a store or catalog that can't be written stops the import, with
// the report so far.
func (c *Collection) Import(ctx context.Context, job Import) (ImportReport, error) {
	list := lossList{catalog: c.catalog, run: job.Run}
	report, err := c.importFiles(ctx, job, &list)
	// What was lost is kept even when ctx is done.
	err = errors.Join(err, list.flush(context.WithoutCancel(ctx)))
	if list.kept {
		report.Job = job.Run
	}
	return report, err
}

func (c *Collection) importFiles(ctx context.Context, job Import, list *lossList) (ImportReport, error) {
	report := ImportReport{Lost: map[string]int{}, Examples: map[string]string{}}
	judged := map[palate.ImageID]*folder.File{}
	for i, file := range job.Files {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		report.Seen++
		addition, err := c.importFile(ctx, job.Within, file, job.Mode)
		reason := lossOf(err)
		switch {
		case err != nil && reason == "":
			return report, fmt.Errorf("import %s: %w", file.Path, err)
		case err != nil:
			report.lose(reason, file.Path, err)
			list.add(catalog.RunLoss{Path: file.Path, Reason: reason, What: palate.Message(err)})
		case addition.New:
			report.Kept++
			if addition.Damage != "" {
				report.Damaged++
				list.add(catalog.RunLoss{Path: file.Path, Reason: crawler.ReasonDamaged, Kept: true, What: addition.Damage})
			}
		default:
			report.Known++
		}
		if err == nil && file.Verdict == "" && file.Stars > 0 {
			job.Files[i].Verdict = file.Grade().Verdict()
			file = job.Files[i]
		}
		if err == nil && file.Verdict != "" {
			if before, there := judged[addition.ID]; there && before.Verdict != file.Verdict {
				what := fmt.Sprintf("the same picture as %s, of which %s was said; here it is %s, which counts", before.Path, before.Verdict, file.Verdict)
				report.bothWaysIn(file.Path, what)
				list.add(catalog.RunLoss{Path: file.Path, Reason: reasonBothWays, Kept: true, What: what})
			}
			judged[addition.ID] = &job.Files[i]
			rated, err := c.rateImported(ctx, job.Profile, addition.ID, file)
			if err != nil {
				return report, fmt.Errorf("import %s: %w", file.Path, err)
			}
			if rated {
				report.Rated++
			}
		}
		if err := list.flushIfLong(ctx); err != nil {
			return report, err
		}
		if job.Progress != nil {
			job.Progress(i+1, len(job.Files))
		}
	}
	return report, nil
}

// lossOf gives the reason why one file is passed by, or "" for an error that
// would meet every file.
func lossOf(err error) string {
	switch {
	case errors.Is(err, errUnreadable):
		return "unreadable"
	case errors.Is(err, errDeleted):
		return "deleted"
	}
	return picture.Reason(err)
}

var (
	errUnreadable = errors.New("can't be read")
	errDeleted    = errors.New("was deleted")
)

func (c *Collection) importFile(ctx context.Context, within folder.Reader, file folder.File, mode StoreMode) (Addition, error) {
	if err := file.Source.Validate(time.Now()); err != nil {
		return Addition{}, err
	}
	if addition, known, err := c.knownReference(ctx, file, mode); known || err != nil {
		return addition, err
	}
	content, err := readFile(within, file.Path, c.limits.imported.MaxBytes)
	if err != nil {
		return Addition{}, err
	}
	sum := sha256.Sum256(content)
	if addition, known, err := c.knownContent(ctx, file.Source, sum, content); known || err != nil {
		return addition, err
	}
	info, err := c.budget.Check(ctx, content, picture.Terms{Limits: c.limits.imported, Alone: true})
	if err != nil {
		return Addition{}, Liftable(err)
	}
	image := describe(sum, content, info)
	addition, err := c.add(ctx, image, file.Source, func() error {
		switch mode {
		case Link:
			return c.keepInPlace(ctx, image.ID, file.Path, imagestore.InPlace.Link)
		case Reference:
			return c.keepInPlace(ctx, image.ID, file.Path, imagestore.InPlace.Reference)
		}
		return c.put(ctx, sum, content)
	})
	addition.Damage = info.Damage
	return addition, err
}

// keepInPlace keeps a file without copying it, where the store can, as long
// as it is still the image that was read.
func (c *Collection) keepInPlace(ctx context.Context, id palate.ImageID, path string, keep func(imagestore.InPlace, context.Context, string) (imagestore.Stored, error)) error {
	store, can := c.store.(imagestore.InPlace)
	if !can {
		return fmt.Errorf("this image store can only copy files: %w", palate.ErrInvalid)
	}
	stored, err := keep(store, ctx, path)
	switch {
	case errors.Is(err, palate.ErrNotFound):
		return fmt.Errorf("%w: %w", errUnreadable, err)
	case err == nil && stored.ID != id:
		// What was kept under the other id has no row, and is swept.
		return fmt.Errorf("%w: it changed while it was read", errUnreadable)
	}
	return err
}

// readFile reads a file of at most maxBytes; a longer one is cut behind the
// limit, which the decoder then refuses with the limit's own error.
func readFile(within folder.Reader, path string, maxBytes int64) ([]byte, error) {
	f, err := within.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return content, nil
}

func (c *Collection) rateImported(ctx context.Context, p palate.Profile, id palate.ImageID, file folder.File) (bool, error) {
	standing, err := c.catalog.StandingRating(ctx, p, id)
	if err == nil && standing.Verdict == file.Verdict && standing.Stars == file.Grade() {
		return false, nil
	}
	if err != nil && !errors.Is(err, palate.ErrNotFound) {
		return false, err
	}
	_, err = c.catalog.Rate(ctx, catalog.Rating{Profile: p, Image: id, Verdict: file.Verdict, Stars: file.Grade(), Shown: palate.ShownImport})
	return err == nil, err
}
