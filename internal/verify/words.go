package verify

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/terminal"
)

// damageTexts says what a kind of damage is, and what to do where it was not
// mended.
var damageTexts = map[Damage]struct{ is, advice string }{
	FileMissing:        {"the file is gone", "import or crawl the picture again, or delete the image"},
	FileResized:        {"the file has another length", "import or crawl the picture again"},
	FileDamaged:        {"the file has another content", "import or crawl the picture again"},
	ReferenceChanged:   {"the original was changed since", "import it again, it is another picture now"},
	FileUnreadable:     {"the file can't be read", "look at its permissions and at the disk"},
	FileOrphaned:       {"no row knows the file", fmt.Sprintf("palate import --adopt takes it into the collection; --repair moves up to %d aside", ingest.MaxOrphans)},
	ThumbnailDamaged:   {"the thumbnail is no whole picture", "--repair removes it, and it is made again when it is asked for"},
	ThumbnailOrphaned:  {"the thumbnail is of no image", "--repair removes it"},
	EmbeddingDamaged:   {"the embedding can't be used", "--repair removes it, and palate embed makes it again"},
	EmbeddingOrphaned:  {"the embedding is of no image", "--repair removes it"},
	EmbeddingForgotten: {"the image has no embedding, and no run would make one", "--repair lists it again for palate embed"},
	StandingsDiffer:    {"what stands for the profile is not what its log of ratings gives", "--repair works it out from the log again"},
	IndexMissing:       {"the index lacks the embedding", "--repair fills the index anew"},
	IndexForeign:       {"the index has a point that the catalog does not know", "--repair fills the index anew"},
	IndexDamaged:       {"the index has another vector", "--repair fills the index anew"},
	IndexOutdated:      {"the index has other attributes", "--repair fills the index anew"},
	CatalogDamaged:     {"the catalog's file contradicts itself", "restore a backup (palate restore BACKUP --replace)"},
}

// Err is nil where nothing is left that is wrong.
func (r Report) Err() error {
	switch {
	case r.Well():
		return nil
	case len(r.Left()) == 0:
		return errors.New("not all of the collection could be looked at")
	}
	return errors.New("the collection is not whole")
}

// Table gives the findings as a table, whose first row is its head.
func (r Report) Table() [][]string {
	rows := [][]string{{"DAMAGE", "OF", "TITLE", "DETAIL"}}
	for _, f := range r.Findings {
		of := string(f.Profile)
		if of == "" && !f.Image.IsZero() {
			of = f.Image.String()
		}
		detail := f.Detail
		if f.Mended != "" {
			detail = strings.TrimPrefix(detail+"; "+f.Mended, "; ")
		}
		rows = append(rows, []string{string(f.Damage), of, terminal.Shorten(f.Title, 40), detail})
	}
	return rows
}

// Is says what a kind of damage is.
func (d Damage) Is() string { return damageTexts[d].is }

// Words tells people what was found and done, and of what that speaks. repair
// says whether mending was asked for.
func (r Report) Words(repair bool) (lines []string) {
	left := r.Left()
	for _, damage := range slices.Sorted(maps.Keys(r.Found)) {
		text, note := damageTexts[damage], ""
		if n := r.MoreOf[damage]; n > 0 {
			note = fmt.Sprintf(" (%d of them not listed)", n)
		}
		line := fmt.Sprintf("%d %s%s: %s", r.Found[damage], damage, note, text.is)
		switch n := left[damage]; {
		case n == 0:
			line += "; mended"
		case n < r.Found[damage]:
			line += fmt.Sprintf("; %d mended, of the others: %s", r.Found[damage]-n, text.advice)
		default:
			line += "; " + text.advice
		}
		lines = append(lines, line+".")
	}
	for _, skipped := range r.Skipped {
		lines = append(lines, "Not looked at: "+skipped+".")
	}
	lines = append(lines, r.looked())
	if r.Damaged > 0 {
		lines = append(lines, fmt.Sprintf("%d of the pictures came damaged; what is there of them is shown (palate images list --damaged).", r.Damaged))
	}
	if r.Undecoded > 0 && !r.Deep {
		lines = append(lines, fmt.Sprintf("Of %d pictures it is not known yet whether they came damaged; --deep decodes them.", r.Undecoded))
	}
	switch {
	case len(r.Found) == 0 && r.Well():
		lines = append(lines, "Nothing is wrong with them.")
	case r.Well():
		lines = append(lines, "Everything that was wrong is mended.")
	case !repair && len(left) > 0:
		lines = append(lines, "palate verify --repair mends what can be mended from what is there.")
	}
	return lines
}

// looked says of what a verification speaks.
func (r Report) looked() string {
	how := "by presence and length, and the index by a sample; --deep reads all of it"
	if r.Deep {
		how = fmt.Sprintf("%d of the files read whole (%d MB)", r.Read, r.Bytes/1e6)
	}
	young := ""
	if r.Young > 0 {
		young = fmt.Sprintf(" %d files without a row came so lately that their row may come yet.", r.Young)
	}
	return fmt.Sprintf("%d rows, %d files, %d thumbnails, %d embeddings, the standing ratings of %d profiles and %d points of the index were looked at: %s.%s",
		r.Rows, r.Files, r.Thumbnails, r.Embeddings, r.Profiles, r.Points, how, young)
}
