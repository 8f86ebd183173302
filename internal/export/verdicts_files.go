package export

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
)

// kept calls read with the path of a temporary file that holds all of r, for
// formats whose directory stands at their end.
func kept(r io.Reader, read func(path string) error) (err error) {
	file, err := os.CreateTemp("", "palate-ratings")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	n, err := io.Copy(file, r)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if n == 0 {
		return errEmpty
	}
	if err = read(file.Name()); errors.Is(err, palate.ErrInvalid) { // whose name says nothing to whoever sent it
		err = fmt.Errorf("%s: %w", strings.ReplaceAll(palate.Message(err), file.Name(), "the file"), palate.ErrInvalid)
	}
	return err
}

// verdictsOfParquet adds those of one file.
func verdictsOfParquet(r io.Reader, all []Said) ([]Said, error) {
	err := kept(r, func(path string) error {
		return features.Texts(path, func(n int64, names, values []string) (err error) {
			image, verdict, stars := slices.Index(names, "image_id"), slices.Index(names, "verdict"), slices.Index(names, "stars")
			if image < 0 || verdict < 0 && stars < 0 {
				return fmt.Errorf("the file has not the columns image_id and verdict or stars: %w", palate.ErrInvalid)
			}
			row, said := "row "+strconv.FormatInt(n, 10), ""
			if verdict >= 0 {
				said = values[verdict]
			}
			given, err := starsOf(values, stars)
			if err != nil {
				return fmt.Errorf("%s: %w", row, err)
			}
			all, err = addSaid(all, row, values[image], said, given)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// verdictsOfArrays reads ids and y, which only an export of rated pictures has.
func verdictsOfArrays(r io.Reader) (all []Said, err error) {
	err = kept(r, func(path string) error {
		ids, liked, err := features.LoadJudged(path, maxSaid)
		if err != nil {
			return err
		}
		for i, id := range ids {
			verdict := palate.Dislike
			if liked[i] {
				verdict = palate.Like
			}
			if all, err = addSaid(all, "row "+strconv.Itoa(i+1), id, string(verdict), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// verdictsOfClip reads the tables of metadata in the tar of a folder.
func verdictsOfClip(r io.Reader) (all []Said, err error) {
	tables := 0
	for archive := tar.NewReader(r); ; {
		entry, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF) && tables > 0:
			return all, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("the tar has no metadata/metadata_0.parquet: %w", palate.ErrInvalid)
		case errors.Is(err, tar.ErrHeader), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("this is no tar, or not a whole one: %w", palate.ErrInvalid)
		case err != nil:
			return nil, err
		}
		if folder, name := path.Split(entry.Name); path.Base(folder) != "metadata" || path.Ext(name) != ".parquet" {
			continue
		}
		tables++
		if all, err = verdictsOfParquet(archive, all); err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name, err)
		}
	}
}
