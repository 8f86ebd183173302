package backup

import (
	"fmt"
	"path/filepath"

	"github.com/palate-art/palate/internal/terminal"
)

// Words tells people what was backed up.
func (r Report) Words() []string {
	m := r.Manifest
	lines := []string{fmt.Sprintf("%s: %d pictures (%s), %d of them new, and the catalog (%s); read again and well",
		filepath.Join(r.Path, r.Snapshot), m.Files, terminal.Bytes(m.FileBytes), r.New, terminal.Bytes(m.CatalogBytes))}
	if n := len(m.Referenced); n > 0 {
		lines = append(lines, fmt.Sprintf("Not in it: %d pictures that lie outside the collection, such as %s; --with-referenced copies them too", n, m.Referenced[0].Path))
	}
	if n := len(m.Deleted); n > 0 {
		lines = append(lines, fmt.Sprintf("%d pictures were deleted meanwhile and are not in it", n))
	}
	if r.Mended > 0 {
		lines = append(lines, fmt.Sprintf("%d pictures of the backup were damaged and have been replaced", r.Mended))
	}
	if len(r.Removed) > 0 {
		lines = append(lines, fmt.Sprintf("Removed: %d older backups", len(r.Removed)))
	}
	return lines
}

// Err tells of pictures that could not be backed up: the backup holds all the
// rest.
func (r Report) Err() error {
	if missing := r.Manifest.Missing; len(missing) > 0 {
		return fmt.Errorf("all but %d pictures were backed up: image %s: %s", len(missing), missing[0].ID, missing[0].Reason)
	}
	return nil
}

// Words tells people what is back in a folder.
func (r Restored) Words(folder string) []string {
	lines := []string{fmt.Sprintf("%s: %d pictures with their ratings are back in %s; %d files were written, %d were there", r.Manifest.Name(), r.Images, folder, r.Files, r.Present)}
	if r.Trashed > 0 {
		lines = append(lines, fmt.Sprintf("%d more are in the trash, as they were", r.Trashed))
	}
	if r.TrashWithout > 0 {
		lines = append(lines, fmt.Sprintf("%d are in the trash without their file, which the backup does not have: they can't be restored from there", r.TrashWithout))
	}
	if n := len(r.Manifest.Referenced); n > 0 {
		lines = append(lines, fmt.Sprintf("%d pictures lie outside the collection, such as %s, and are not in the backup", n, r.Manifest.Referenced[0].Path))
	}
	return lines
}

// Err tells of pictures that are back without their file.
func (r Restored) Err() error {
	if n := len(r.Without); n > 0 {
		return fmt.Errorf("%d pictures are back without their file, which the backup does not have whole, such as image %s; import them again", n, r.Without[0])
	}
	return nil
}
