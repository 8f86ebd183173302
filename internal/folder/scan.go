// Package folder reads a folder of pictures as a person keeps one: pictures
// at any depth, those in good/ and bad/ judged already, a metadata.csv or
// metadata.json beside or above them that says what they are, and the sidecars
// in which photo programs keep stars, titles and favourites.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
)

// File is one file that may be a picture.
type File struct {
	Path   string // absolute
	Source palate.Source
	// Verdict is what a metadata file, a sidecar or else the name of a folder
	// above the file says, or empty; Stars are what the first two give.
	judgement
	// Sorted says that palate sort put it where it is: see Mark.
	Sorted bool
}

// Listing is what a folder holds.
type Listing struct {
	Files []File // in the order of paths
	// Unmatched are the rows of metadata files that name no file, as
	// "metadata.csv: name".
	Unmatched []string
	// Problems are what of metadata and sidecars was not understood and left
	// out, each with where that is.
	Problems []string
}

// verdictFolders are the folder names that judge what is below them, letter
// case aside.
var verdictFolders = map[string]palate.Verdict{
	"good": palate.Like, "liked": palate.Like, "like": palate.Like, "likes": palate.Like,
	"bad": palate.Dislike, "disliked": palate.Dislike, "dislike": palate.Dislike, "dislikes": palate.Dislike,
}

// Scan lists the files below a folder, or the one file that path names. Files
// and folders whose names begin with a dot are passed over; symbolic links
// to files are followed, links to folders are not. The nearest folder that
// judges wins; one that palate sort filled does not judge, for what lies there is
// its own guess. A metadata file that can't be read is palate.ErrInvalid and says where.
func Scan(ctx context.Context, path string) (Listing, error) {
	return scan(ctx, path, Reader{})
}

// ScanWithin is Scan that reads nothing outside of a root, whatever symbolic
// links lie below it: what leads out is listed as a file that can't be read.
// path is absolute and below the root by its names. A path that a link leads out
// of the root is palate.ErrForbidden.
func ScanWithin(ctx context.Context, within Reader, path string) (Listing, error) {
	_, err := within.stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Listing{}, fmt.Errorf("folder %s: %w (%w)", path, palate.ErrForbidden, err)
	}
	return scan(ctx, path, within)
}

func scan(ctx context.Context, path string, files Reader) (Listing, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return Listing{}, fmt.Errorf("folder %s: %w", path, err)
	}
	info, err := files.stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Listing{}, fmt.Errorf("folder %s: %w", path, palate.ErrNotFound)
	case err != nil:
		return Listing{}, fmt.Errorf("folder %s: %w", path, err)
	case info.Mode().IsRegular():
		return Listing{Files: []File{describe(root, Row{}, "")}}, nil
	case !info.IsDir():
		return Listing{}, fmt.Errorf("folder or file: %w", regular.Check(path, info.Mode()))
	}
	var listing Listing
	return listing, listing.walk(ctx, files, root, place{})
}

// above is a metadata file of a folder above, or of the same one.
type above struct {
	*table
	from string // slash-separated, from its folder to the one that is listed; "" is the same
}

// place is what the folders above a file say of it.
type place struct {
	verdict palate.Verdict
	sorted  bool    // palate sort put it there
	tables  []above // which are the callee's
}

// walk lists a folder; at is what the folders above it say.
func (l *Listing) walk(ctx context.Context, files Reader, dir string, at place) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := files.readDir(dir)
	if err != nil {
		return fmt.Errorf("folder %s: %w", dir, err)
	}
	metadata, err := readMetadata(files, dir)
	if err != nil {
		return err
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	metadata.settle(names)
	at.tables = append(at.tables, above{table: metadata})
	if slices.Contains(names, mark) {
		if at.verdict != "" {
			l.Problems = append(l.Problems, fmt.Sprintf("%s: its pictures are not taken for judged, as palate sort put them there; if you have gone through them, delete the file %s in it", dir, mark))
		}
		at.verdict, at.sorted = "", true
	}
	beside := sidecarsAmong(names)
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(dir, name)
		if strings.HasPrefix(name, ".") || isMetadata(name) || beside.are[name] {
			continue
		}
		if entry.IsDir() {
			below, named := verdictFolders[strings.ToLower(name)]
			if !named {
				below = at.verdict
			}
			deeper := place{verdict: below, sorted: at.sorted, tables: slices.Clone(at.tables)}
			for i := range deeper.tables {
				deeper.tables[i].from += name + "/"
			}
			if err := l.walk(ctx, files, path, deeper); err != nil {
				return err
			}
			continue
		}
		if info, err := files.stat(path); err == nil && !info.Mode().IsRegular() {
			continue // a link to a folder, a socket, a device
		}
		file := describe(path, l.said(files, path, at.tables, beside.of(name)), at.verdict)
		file.Sorted = at.sorted
		l.Files = append(l.Files, file)
	}
	l.Unmatched = append(l.Unmatched, metadata.rest()...)
	l.Problems = append(l.Problems, metadata.problems...)
	return nil
}

// said is what the nearest metadata file says of a file, and what its sidecars
// add.
func (l *Listing) said(files Reader, path string, tables []above, sidecars []string) (row Row) {
	for _, t := range tables { // the nearest is the last
		if r := t.take(t.from + filepath.Base(path)); r != nil {
			row = *r
		}
	}
	for _, name := range sidecars {
		more, err := readSidecar(files, filepath.Join(filepath.Dir(path), name))
		if err != nil {
			l.Problems = append(l.Problems, err.Error())
			continue
		}
		row.add(more)
	}
	return row
}

func describe(path string, row Row, verdict palate.Verdict) File {
	address := path
	if !utf8.ValidString(path) { // as URLs write what is no text
		address = (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	}
	source := palate.Source{
		Address:      address,
		Site:         "folder",
		OriginalName: strings.ToValidUTF8(filepath.Base(path), "\uFFFD"),
		RetrievedAt:  time.Now().UTC(),
	}
	row.fill(&source)
	said := row.judgement
	switch {
	case said.Stars == Rejected:
		said.Verdict = palate.Dislike
	case said.Verdict == "":
		said.Verdict = verdict
	}
	return File{Path: path, Source: source, judgement: said}
}
