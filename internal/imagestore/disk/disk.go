package disk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/imagestore"
)

const (
	versionFile   = "palate-images"
	layoutVersion = 1

	filesFolder  = "files"
	refsFolder   = "refs"
	thumbsFolder = "thumbs"
	tmpFolder    = "tmp"

	refSuffix = ".json"
)

// Store keeps image files in a folder. It is safe for concurrent use by
// goroutines and processes.
type Store struct {
	root string
	mode fs.FileMode // of files
}

var _ imagestore.InPlace = (*Store)(nil)

// Open opens the folder, making it if need be. A folder that can't be made or
// written is palate.ErrUnavailable, one of a newer version, or a folder of
// something else, is palate.ErrConflict.
func Open(root string) (*Store, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	s := &Store{root: root}
	versioned, err := s.checkVersion()
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{"", filesFolder, refsFolder, thumbsFolder, tmpFolder} {
		if err := access.MakeFolders(filepath.Join(root, folder)); err != nil {
			return nil, s.unavailable("open", err)
		}
	}
	s.mode = access.FileIn(root)
	if !versioned {
		err = s.writeFile(filepath.Join(root, versionFile), fmt.Appendf(nil, "palate images %d\n", layoutVersion))
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// checkVersion reports whether the folder says its version, and refuses one
// that is not this one's.
func (s *Store) checkVersion() (versioned bool, err error) {
	text, err := os.ReadFile(filepath.Join(s.root, versionFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, s.unavailable("open", err)
	}
	number, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "palate images ")
	version, err := strconv.Atoi(number)
	switch {
	case !ok || err != nil || version < 1:
		return false, fmt.Errorf("image store %s: its file %s does not say which version it is; the folder is damaged or not palate's: choose another folder, or restore a backup: %w", s.root, versionFile, palate.ErrConflict)
	case version > layoutVersion:
		return false, fmt.Errorf("image store %s has version %d, this palate knows %d: use a newer palate: %w", s.root, version, layoutVersion, palate.ErrConflict)
	}
	return true, nil
}

// path gives the place of an image's file in one of the folders.
func (s *Store) path(folder string, id palate.ImageID, suffix string) string {
	name := id.String()
	return filepath.Join(s.root, folder, name[:2], name+suffix)
}

// Put implements imagestore.Store.
func (s *Store) Put(ctx context.Context, r io.Reader, maxBytes int64) (imagestore.Stored, error) {
	tmp, err := os.CreateTemp(filepath.Join(s.root, tmpFolder), "put-*")
	if err != nil {
		return imagestore.Stored{}, s.unavailable("store image", err)
	}
	defer os.Remove(tmp.Name()) // gone after the rename
	defer tmp.Close()
	hash := sha256.New()
	n, err := io.Copy(&diskWriter{s, io.MultiWriter(tmp, hash)}, &contextReader{ctx, io.LimitReader(r, maxBytes+1)})
	if err != nil {
		return imagestore.Stored{}, fmt.Errorf("store image: %w", err)
	}
	if n > maxBytes {
		return imagestore.Stored{}, fmt.Errorf("store image: more than %d bytes: %w", maxBytes, palate.ErrInvalid)
	}
	stored := storedAs([sha256.Size]byte(hash.Sum(nil)), n)
	if stored.Existed, err = s.existed(stored); err != nil || stored.Existed {
		return stored, err
	}
	return stored, s.finish(tmp, stored)
}

// PutContent implements imagestore.Store.
func (s *Store) PutContent(ctx context.Context, sum [sha256.Size]byte, content []byte) (imagestore.Stored, error) {
	if err := ctx.Err(); err != nil {
		return imagestore.Stored{}, err
	}
	stored := storedAs(sum, int64(len(content)))
	var err error
	if stored.Existed, err = s.existed(stored); err != nil || stored.Existed {
		return stored, err
	}
	tmp, err := os.CreateTemp(filepath.Join(s.root, tmpFolder), "put-*")
	if err != nil {
		return imagestore.Stored{}, s.unavailable("store image", err)
	}
	defer os.Remove(tmp.Name()) // gone after the rename
	defer tmp.Close()
	if _, err := (&diskWriter{s, tmp}).Write(content); err != nil {
		return imagestore.Stored{}, fmt.Errorf("store image: %w", err)
	}
	return stored, s.finish(tmp, stored)
}

func storedAs(sum [sha256.Size]byte, bytes int64) imagestore.Stored {
	return imagestore.Stored{ID: palate.NewImageID(sum), SHA256: sum, Bytes: bytes}
}

// finish gives a written file its name, durably.
func (s *Store) finish(tmp *os.File, stored imagestore.Stored) error {
	if err := atomicfile.Finish(tmp, s.mode); err != nil {
		return s.unavailable("store image", err)
	}
	if err := s.place(tmp.Name(), s.path(filesFolder, stored.ID, "")); err != nil {
		return s.unavailable("store image", err)
	}
	return nil
}

// existed reports whether a whole file of that id is there, and then makes
// sure that it stays: its name is made durable, which whoever put it may have
// been killed before, and Sweep takes it for new. A file of another content
// under its name is damage, and is replaced.
func (s *Store) existed(stored imagestore.Stored) (bool, error) {
	path := s.path(filesFolder, stored.ID, "")
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, s.unavailable("store image", err)
	}
	if info.Size() != stored.Bytes || !isWhole(path, stored.SHA256) {
		return false, nil
	}
	renew(path, info)
	if err := atomicfile.SyncFolder(filepath.Dir(path)); err != nil {
		return false, s.unavailable("store image", err)
	}
	return true, nil
}

// isWhole reports whether a file has a content: of the right length it may
// still have a flipped bit. Whoever puts a picture twice waits for one reading.
func isWhole(path string, want [sha256.Size]byte) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return err == nil && [sha256.Size]byte(hash.Sum(nil)) == want
}

// place moves a finished file to a target in a folder that may not be there yet,
// and makes that durable.
func (s *Store) place(from, target string) error {
	folder := filepath.Dir(target)
	if err := access.MakeFolder(folder); err == nil {
		if err := atomicfile.SyncFolder(filepath.Dir(folder)); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return atomicfile.Move(from, target)
}

// writeFile writes a small file durably, whole or not at all.
func (s *Store) writeFile(target string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Join(s.root, tmpFolder), "put-*")
	if err != nil {
		return s.unavailable("write", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	if err = errors.Join(err, atomicfile.Finish(tmp, s.mode)); err == nil {
		err = s.place(tmp.Name(), target)
	}
	if err != nil {
		return s.unavailable("write", err)
	}
	return nil
}

// Open implements imagestore.Store.
func (s *Store) Open(ctx context.Context, id palate.ImageID) (io.ReadSeekCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.Open(s.path(filesFolder, id, ""))
	if errors.Is(err, fs.ErrNotExist) {
		return s.openReference(id)
	}
	if err != nil {
		return nil, s.unavailable("open image", err)
	}
	return f, nil
}

// Has implements imagestore.Store.
func (s *Store) Has(ctx context.Context, id palate.ImageID) (bool, error) {
	for _, path := range []string{s.path(filesFolder, id, ""), s.path(refsFolder, id, refSuffix)} {
		_, err := os.Stat(path)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, s.unavailable("look for image", err)
		}
	}
	return false, ctx.Err()
}

// Delete implements imagestore.Store.
func (s *Store) Delete(ctx context.Context, id palate.ImageID) error {
	for _, path := range []string{s.path(filesFolder, id, ""), s.path(refsFolder, id, refSuffix)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.unavailable("delete image", err)
		}
	}
	return errors.Join(s.removeThumbnails(id), ctx.Err())
}

// Ready implements imagestore.Store.
func (s *Store) Ready(ctx context.Context) error {
	tmp, err := os.CreateTemp(filepath.Join(s.root, tmpFolder), "ready-*")
	if err != nil {
		return s.unavailable("write", err)
	}
	_, err = tmp.WriteString("ready")
	if err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name())); err != nil {
		return s.unavailable("write", err)
	}
	return ctx.Err()
}

// unavailable says what the disk refused and what to do.
func (s *Store) unavailable(doing string, err error) error {
	switch {
	case errors.Is(err, palate.ErrUnavailable):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%s: the disk of %s is full; free some space and run the same again, nothing was lost: %w: %w", doing, s.root, palate.ErrUnavailable, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s: the folder %s can't be written: %w: %w", doing, s.root, palate.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: image store %s: %w: %w", doing, s.root, palate.ErrUnavailable, err)
}

// diskWriter tells errors of the disk from errors of the reader.
type diskWriter struct {
	store *Store
	to    io.Writer
}

func (w *diskWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if err != nil {
		err = w.store.unavailable("store image", err)
	}
	return n, err
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
