package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/palate-art/palate"
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
	// equal content, says the opposite of. What comes later counts.
	BothWays int `json:"judged_both_ways,omitempty"`
	// Remarks are on every file that was lost or is damaged, in the order of
	// the files. They may be many, and are not part of a job's result.
	Remarks []Remark `json:"-"`
}

// Contradictions says of each picture that is judged both ways which files do.
func (r ImportReport) Contradictions() []string {
	var all []string
	for _, remark := range r.Remarks {
		if remark.Reason == ReasonBothWays {
			all = append(all, remark.Path+": "+remark.What)
		}
	}
	return all
}

func (r *ImportReport) lose(reason, path string, err error) {
	r.Lost[reason]++
	r.Remarks = append(r.Remarks, Remark{Path: path, Reason: reason, What: err.Error()})
	if _, there := r.Examples[reason]; !there {
		r.Examples[reason] = fmt.Sprintf("%s: %v", path, err)
	}
}

// Import adds files and rates those that have a verdict, unless the profile
// has said the same of them before. A file that can't be used is counted with
// its reason; a store or catalog that can't be written stops the import, with
// the report so far.
func (c *Collection) Import(ctx context.Context, job Import) (ImportReport, error) {
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
		case addition.New:
			report.Kept++
			if addition.Damage != "" {
				report.Damaged++
				report.Remarks = append(report.Remarks, Remark{Path: file.Path, Reason: ReasonDamaged, What: addition.Damage})
			}
		default:
			report.Known++
		}
		if err == nil && file.Verdict != "" {
			if before, there := judged[addition.ID]; there && before.Verdict != file.Verdict {
				report.BothWays++
				report.Remarks = append(report.Remarks, Remark{Path: file.Path, Reason: ReasonBothWays,
					What: fmt.Sprintf("the same picture as %s, of which %s was said; here it is %s, which counts", before.Path, before.Verdict, file.Verdict)})
			}
			judged[addition.ID] = &job.Files[i]
			rated, err := c.rateImported(ctx, job.Profile, addition.ID, file.Verdict)
			if err != nil {
				return report, fmt.Errorf("import %s: %w", file.Path, err)
			}
			if rated {
				report.Rated++
			}
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
		return Addition{}, liftable(err)
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

func (c *Collection) rateImported(ctx context.Context, p palate.Profile, id palate.ImageID, verdict palate.Verdict) (bool, error) {
	standing, err := c.catalog.StandingRating(ctx, p, id)
	if err == nil && standing.Verdict == verdict {
		return false, nil
	}
	if err != nil && !errors.Is(err, palate.ErrNotFound) {
		return false, err
	}
	_, err = c.catalog.Rate(ctx, catalog.Rating{Profile: p, Image: id, Verdict: verdict, Shown: palate.ShownImport})
	return err == nil, err
}
