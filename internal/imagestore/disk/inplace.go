package disk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

// reference is a file that stays where it is.
type reference struct {
	Path     string    `json:"path"`
	PathRaw  []byte    `json:"path_raw,omitempty"` // of a path that is not UTF-8, which JSON can't hold
	Bytes    int64     `json:"bytes"`
	SHA256   string    `json:"sha256"`
	Modified time.Time `json:"modified"`
}

// Link implements imagestore.InPlace.
func (s *Store) Link(ctx context.Context, path string) (imagestore.Stored, error) {
	// A link to a symbolic link would be one more of these, to a place that
	// means something else from here.
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return imagestore.Stored{}, fileError(path, err)
	}
	stored, _, err := hashFile(ctx, path)
	if err != nil {
		return stored, err
	}
	if stored.Existed, err = s.existed(stored); err != nil || stored.Existed {
		return stored, err
	}
	// By way of another name, because a damaged file may have the right one.
	tmp := filepath.Join(s.root, tmpFolder, "link-"+rand.Text())
	defer os.Remove(tmp)
	target := s.path(filesFolder, stored.ID, "")
	err = os.Link(path, tmp)
	if err == nil {
		err = s.place(tmp, target)
	}
	switch {
	case err == nil:
		return stored, nil
	case errors.Is(err, syscall.EXDEV), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.EMLINK):
		return stored, fmt.Errorf("link %s: it can't be linked into %s (another disk, or one without links): copy or reference it instead: %w: %w",
			path, s.root, palate.ErrInvalid, err)
	}
	return stored, s.unavailable("link image", err)
}

// Reference implements imagestore.InPlace.
func (s *Store) Reference(ctx context.Context, path string) (imagestore.Stored, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return imagestore.Stored{}, fmt.Errorf("reference %s: %w", path, err)
	}
	stored, info, err := hashFile(ctx, path)
	if err != nil {
		return stored, err
	}
	if stored.Existed, err = s.existed(stored); err != nil || stored.Existed {
		return stored, err
	}
	if f, err := s.openReference(stored.ID); err == nil {
		stored.Existed = true
		return stored, f.Close()
	}
	return stored, s.writeReference(stored.ID, imagestore.Reference{Path: path, Bytes: stored.Bytes, SHA256: stored.SHA256, Modified: info.ModTime()})
}

func (s *Store) writeReference(id palate.ImageID, r imagestore.Reference) error {
	ref := reference{Path: r.Path, Bytes: r.Bytes, SHA256: hex.EncodeToString(r.SHA256[:]), Modified: r.Modified}
	if !utf8.ValidString(r.Path) {
		ref.PathRaw = []byte(r.Path)
	}
	text, err := json.Marshal(ref)
	if err != nil {
		return err
	}
	return s.writeFile(s.path(refsFolder, id, refSuffix), text)
}

// PutReference implements imagestore.InPlace.
func (s *Store) PutReference(ctx context.Context, id palate.ImageID, r imagestore.Reference) error {
	if palate.NewImageID(r.SHA256) != id {
		return fmt.Errorf("reference of image %s: the hash is that of another image: %w", id, palate.ErrInvalid)
	}
	if has, err := s.Has(ctx, id); err != nil || has {
		return err
	}
	return s.writeReference(id, r)
}

// ReferenceOf implements imagestore.InPlace.
func (s *Store) ReferenceOf(ctx context.Context, id palate.ImageID) (imagestore.Reference, error) {
	none := imagestore.Reference{}
	_, err := os.Stat(s.path(filesFolder, id, ""))
	if err == nil {
		return none, fmt.Errorf("image %s is no reference: %w", id, palate.ErrNotFound)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return none, s.unavailable("look for image", err)
	}
	ref, err := s.readReference(id)
	if err != nil {
		return none, err
	}
	r := imagestore.Reference{Path: ref.Path, Bytes: ref.Bytes, Modified: ref.Modified}
	sum, err := hex.DecodeString(ref.SHA256)
	if err != nil || len(sum) != len(r.SHA256) {
		return none, fmt.Errorf("reference of image %s can't be read: import its file again: %w", id, palate.ErrConflict)
	}
	copy(r.SHA256[:], sum)
	return r, ctx.Err()
}

// readReference reads what was noted of a referenced file.
func (s *Store) readReference(id palate.ImageID) (reference, error) {
	var ref reference
	text, err := os.ReadFile(s.path(refsFolder, id, refSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return ref, fmt.Errorf("image %s has no file: %w", id, palate.ErrNotFound)
	}
	if err != nil {
		return ref, s.unavailable("open image", err)
	}
	if err := json.Unmarshal(text, &ref); err != nil {
		return ref, fmt.Errorf("reference of image %s can't be read: import its file again: %w: %w", id, palate.ErrConflict, err)
	}
	if ref.PathRaw != nil {
		ref.Path = string(ref.PathRaw)
	}
	return ref, nil
}

func hashFile(ctx context.Context, path string) (imagestore.Stored, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return imagestore.Stored{}, nil, fileError(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return imagestore.Stored{}, nil, fileError(path, err)
	}
	hash := sha256.New()
	n, err := io.Copy(hash, &contextReader{ctx, f})
	if err != nil {
		return imagestore.Stored{}, nil, fileError(path, err)
	}
	stored := imagestore.Stored{SHA256: [32]byte(hash.Sum(nil)), Bytes: n}
	stored.ID = palate.NewImageID(stored.SHA256)
	return stored, info, nil
}

func fileError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("file %s: %w", path, palate.ErrNotFound)
	}
	return fmt.Errorf("file %s: %w", path, err)
}

// openReference opens a referenced file if it is still the one that was
// referenced. A file of the same size and time is taken for the same; else its hash decides.
func (s *Store) openReference(id palate.ImageID) (io.ReadSeekCloser, error) {
	ref, err := s.readReference(id)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(ref.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("image %s: the referenced file %s is gone: %w", id, ref.Path, palate.ErrNotFound)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("image %s: the referenced file %s may not be read: %w", id, ref.Path, palate.ErrConflict)
	case err != nil:
		return nil, fmt.Errorf("image %s: the referenced file %s: %w: %w", id, ref.Path, palate.ErrUnavailable, err)
	}
	if err := ref.check(f); err != nil {
		return nil, errors.Join(fmt.Errorf("image %s: %w", id, err), f.Close())
	}
	return f, nil
}

func (ref reference) check(f *os.File) error {
	changed := fmt.Errorf("the referenced file %s has changed; import it again: %w", ref.Path, palate.ErrConflict)
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("the referenced file %s: %w: %w", ref.Path, palate.ErrUnavailable, err)
	}
	if info.Size() != ref.Bytes {
		return changed
	}
	if info.ModTime().Equal(ref.Modified) {
		return nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return fmt.Errorf("the referenced file %s: %w: %w", ref.Path, palate.ErrUnavailable, err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != ref.SHA256 {
		return changed
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}
