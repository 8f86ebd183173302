package disk

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/imagestore"
)

// sweptFolder holds a folder for each day on which orphans were moved aside.
const sweptFolder = "swept"

// moveAside moves orphans into the folder of today. What somebody has stored
// and recorded while that was done is moved back.
func (s *Store) moveAside(ctx context.Context, before time.Time, orphans []palate.ImageID, fate func(context.Context, []palate.ImageID) ([]imagestore.Fate, error)) (folder string, moved int, err error) {
	folder = filepath.Join(s.root, sweptFolder, time.Now().Format(time.DateOnly))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return folder, 0, s.unavailable("sweep", err)
	}
	var gone []palate.ImageID
	for _, id := range orphans {
		// Who stores it again meanwhile renews it first, so its age is asked
		// for once more.
		if !s.isOlder(before, id) {
			continue
		}
		if err := s.rename(id, folder, true); err != nil {
			return folder, moved, err
		}
		gone = append(gone, id)
		moved++
	}
	if moved == 0 {
		return folder, 0, nil
	}
	fates, err := fate(ctx, gone)
	if err != nil {
		return folder, moved, err
	}
	for i, id := range gone {
		if fates[i] != imagestore.Wanted {
			err = errors.Join(err, s.removeThumbnails(id))
			continue
		}
		moved--
		err = errors.Join(err, s.rename(id, folder, false))
	}
	return folder, moved, errors.Join(err, atomicfile.SyncFolder(folder))
}

// rename moves a file, a reference too, aside or back.
func (s *Store) rename(id palate.ImageID, folder string, aside bool) error {
	for path, name := range map[string]string{
		s.path(filesFolder, id, ""):       id.String(),
		s.path(refsFolder, id, refSuffix): id.String() + refSuffix,
	} {
		from, to := path, filepath.Join(folder, name)
		if !aside {
			from, to = to, from
		}
		if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.unavailable("sweep", err)
		}
	}
	return nil
}

// BringBack implements imagestore.Store. Of several days it takes the last.
func (s *Store) BringBack(ctx context.Context, id palate.ImageID) (found bool, err error) {
	days, err := os.ReadDir(filepath.Join(s.root, sweptFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return false, ctx.Err()
	}
	if err != nil {
		return false, s.unavailable("bring back", err)
	}
	for _, day := range slices.Backward(days) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		aside := filepath.Join(s.root, sweptFolder, day.Name(), id.String())
		if !isNamedFor(aside, id) {
			continue
		}
		target := s.path(filesFolder, id, "")
		if err := os.Rename(target, aside+".damaged"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, s.unavailable("bring back", err)
		}
		if err := s.place(aside, target); err != nil {
			return false, s.unavailable("bring back", err)
		}
		return true, atomicfile.SyncFolder(filepath.Dir(aside))
	}
	return false, nil
}

// isNamedFor reports whether a file is the picture of that id.
func isNamedFor(path string, id palate.ImageID) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return err == nil && palate.NewImageID([sha256.Size]byte(hash.Sum(nil))) == id
}

// expireAside removes the folders of days that are longer ago than that.
func (s *Store) expireAside(keep time.Duration) (files int, err error) {
	days, err := os.ReadDir(filepath.Join(s.root, sweptFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, s.unavailable("sweep", err)
	}
	for _, day := range days {
		// A day lasts until its end: what was moved aside late is kept as long.
		date, err := time.ParseInLocation(time.DateOnly, day.Name(), time.Local)
		if err != nil || time.Since(date.AddDate(0, 0, 1)) < keep {
			continue
		}
		folder := filepath.Join(s.root, sweptFolder, day.Name())
		entries, err := os.ReadDir(folder)
		if err == nil {
			err = os.RemoveAll(folder)
		}
		if err != nil {
			return files, s.unavailable("sweep", err)
		}
		files += len(entries)
	}
	return files, nil
}
