package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/catalog"
)

const (
	versionName     = "palate-backup"
	lockName        = "lock"
	filesFolder     = "files"
	snapshotsFolder = "snapshots"
	tmpFolder       = "tmp"
	// removingPrefix marks a snapshot in tmp that is being removed.
	removingPrefix = "removing-"
	snapshotTime   = "20060102T150405.000Z"
)

var versionText = fmt.Sprintf("palate backup %d\n", Version)

// folder is a backup that is a folder.
type folder struct {
	root   string
	deep   bool
	mended int
}

// ToFolder backs up into a folder, which is made if need be, as one further
// snapshot. A folder of something else, or one that another process backs up
// into, is palate.ErrConflict; one that can't be written, or whose disk is
// full, palate.ErrUnavailable: the same again goes on then.
func (c Collection) ToFolder(ctx context.Context, root string, o Options) (Report, error) {
	r := Report{Path: root}
	f := &folder{root: root, deep: o.Deep}
	unlock, err := f.openToWrite()
	if err != nil {
		return r, targetError(root, err)
	}
	err = func() error {
		if err := c.finishRemoving(ctx, f); err != nil {
			return err
		}
		if err := emptyFolder(f.path(tmpFolder)); err != nil {
			return err
		}
		if err := c.snapshot(ctx, f, o, &r); err != nil {
			return err
		}
		r.Mended = f.mended
		return c.removeOld(ctx, f, o.Keep, &r)
	}()
	return r, targetError(root, errors.Join(err, unlock()))
}

func (f *folder) path(names ...string) string {
	return filepath.Join(append([]string{f.root}, names...)...)
}

func (f *folder) file(id palate.ImageID) string {
	name := id.String()
	return f.path(filesFolder, name[:2], name)
}

// openToWrite makes the folder if need be and locks it.
func (f *folder) openToWrite() (unlock func() error, err error) {
	entries, err := os.ReadDir(f.root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if len(entries) > 0 && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == lockName || e.Name() == versionName }) {
		return nil, fmt.Errorf("%s is not empty and no palate backup; choose another folder: %w", f.root, palate.ErrConflict)
	}
	if err := access.MakeFolders(f.root); err != nil {
		return nil, err
	}
	lock := flock.New(f.path(lockName), flock.SetPermissions(access.FileIn(f.root)))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, fmt.Errorf("another process backs up into %s; wait for it: %w", f.root, palate.ErrConflict)
	}
	failed := func(err error) (func() error, error) { return nil, errors.Join(err, lock.Close()) }
	if err := f.checkVersion(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(err)
	}
	for _, name := range []string{filesFolder, snapshotsFolder, tmpFolder} {
		if err := access.MakeFolders(f.path(name)); err != nil {
			return failed(err)
		}
	}
	if err := f.checkVersion(); errors.Is(err, fs.ErrNotExist) {
		if err := atomicfile.WriteBytes(f.path(versionName), 0o600, []byte(versionText)); err != nil {
			return failed(err)
		}
	}
	return lock.Close, nil
}

// checkVersion is fs.ErrNotExist where no version is said.
func (f *folder) checkVersion() error {
	text, err := os.ReadFile(f.path(versionName))
	if err != nil {
		return err
	}
	return checkVersionText(f.root, text)
}

func checkVersionText(where string, text []byte) error {
	number, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "palate backup ")
	version, err := strconv.Atoi(number)
	switch {
	case !ok || err != nil || version < 1:
		return fmt.Errorf("%s is no palate backup: its file %s does not say which version it is: %w", where, versionName, palate.ErrInvalid)
	case version > Version:
		return fmt.Errorf("the backup %s has version %d and this palate knows version %d; use a newer palate: %w", where, version, Version, palate.ErrConflict)
	}
	return nil
}

// snapshot makes one snapshot. It gets its name when all of it is there.
func (c Collection) snapshot(ctx context.Context, f *folder, o Options, r *Report) error {
	made := time.Now().UTC()
	name := made.Format(snapshotTime)
	for _, err := os.Lstat(f.path(snapshotsFolder, name)); err == nil; _, err = os.Lstat(f.path(snapshotsFolder, name)) {
		made = made.Add(time.Millisecond) // a clock that was set back
		name = made.Format(snapshotTime)
	}
	work := f.path(tmpFolder, name)
	if err := access.MakeFolder(work); err != nil {
		return err
	}
	m := Manifest{Version: Version, MadeAt: made, MadeBy: o.Program}
	s, err := c.begin(ctx, filepath.Join(work, catalogName), &m)
	if err != nil {
		return err
	}
	if err := errors.Join(c.fill(ctx, s, f, o, &m, r), s.Close()); err != nil {
		return err
	}
	r.Manifest, r.Snapshot = m, name
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	manifest := filepath.Join(work, manifestName)
	if err := atomicfile.WriteBytes(manifest, access.FileIn(work), append(text, '\n')); err != nil {
		return err
	}
	// Read again what was written: a disk may have kept something else.
	if sum, n, err := hashOf(filepath.Join(work, catalogName)); err != nil || sum != m.CatalogSHA256 || n != m.CatalogBytes {
		return errors.Join(fmt.Errorf("the copy of the catalog in %s reads as something else than was written: %w", work, palate.ErrUnavailable), err)
	}
	if err := atomicfile.SyncFolder(work); err != nil {
		return err
	}
	return atomicfile.Move(work, f.path(snapshotsFolder, name))
}

// has implements target.
func (f *folder) has(ctx context.Context, image catalog.Image) (bool, error) {
	info, err := os.Stat(f.file(image.ID))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Size() != image.Bytes:
		return false, nil
	case !f.deep:
		return true, nil
	}
	return f.reads(ctx, f.file(image.ID), image)
}

// reads reports whether a file is the image.
func (f *folder) reads(ctx context.Context, path string, image catalog.Image) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	sum, _, err := hashAll(contextReader{ctx, file})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return err == nil && sum == fmt.Sprintf("%x", image.SHA256), nil
}

// put implements target.
func (f *folder) put(ctx context.Context, image catalog.Image, r io.ReadSeeker) error {
	tmp := f.path(tmpFolder, image.ID.String())
	defer os.Remove(tmp) // gone after the rename
	out, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_RDWR, access.FileIn(f.root))
	if err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	if err = errors.Join(err, atomicfile.Finish(out, access.FileIn(f.root))); err != nil {
		return err
	}
	// What is compared is what the disk gives back.
	same, err := f.reads(ctx, tmp, image)
	if err != nil {
		return err
	}
	if !same {
		return errDamaged
	}
	path := f.file(image.ID)
	if err := access.MakeFolder(filepath.Dir(path)); err == nil {
		err = atomicfile.SyncFolder(f.path(filesFolder))
		if err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		f.mended++
	}
	return atomicfile.Move(tmp, path)
}

// snapshots lists the names of what is whole, oldest first.
func (f *folder) snapshots() ([]string, error) {
	entries, err := os.ReadDir(f.path(snapshotsFolder))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if _, err := time.Parse(snapshotTime, entry.Name()); err == nil && entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func (f *folder) manifest(name string) (Manifest, error) {
	text, err := os.ReadFile(f.path(snapshotsFolder, name, manifestName))
	if err != nil {
		return Manifest{}, err
	}
	m, err := ParseManifest(text)
	if err != nil {
		return m, fmt.Errorf("snapshot %s: %w", name, err)
	}
	return m, nil
}

func emptyFolder(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(path, entry.Name())))
	}
	return errors.Join(errs...)
}
