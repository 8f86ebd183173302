package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
)

// maxManifest bounds a manifest, which is a line for each picture that is not
// in the backup.
const maxManifest = 1 << 30

// Staged is a catalog from a backup, opened to be changed.
type Staged interface {
	Snapshot
	PurgeImage(ctx context.Context, id palate.ImageID, reason string) error
	catalog.Identities
}

// Place is where a backup is restored.
type Place struct {
	// Catalog is the file that the catalog becomes, at the end and at once;
	// it must not be there.
	Catalog string
	// Store takes the pictures; it may hold some already.
	Store imagestore.InPlace
	// Open opens a catalog and brings its schema up to date.
	Open func(ctx context.Context, path string) (Staged, error)
}

// Restored says what came back.
type Restored struct {
	Backup   string   `json:"backup"`
	Snapshot string   `json:"snapshot,omitempty"`
	Images   int      `json:"images"`
	Files    int      `json:"files"`             // pictures written
	Present  int      `json:"present"`           // pictures that were there already
	Manifest Manifest `json:"manifest"`          // of the backup
	Without  []string `json:"without,omitempty"` // ids of pictures whose file is neither in the backup nor here
	// Trashed are images in the trash that can be restored; of TrashWithout
	// the file is neither in the backup nor here, as older palates left them out.
	Trashed      int `json:"trashed"`
	TrashWithout int `json:"trash_without"`
}

// Restore brings back a backup: a folder, of which it takes the named snapshot
// or the newest, or an archive. Every picture is compared with its hash. The
// catalog comes last: a restore that was killed is run again and goes on.
// What is no backup is palate.ErrInvalid; no such snapshot palate.ErrNotFound;
// a catalog that is there palate.ErrConflict.
func Restore(ctx context.Context, from, snapshot string, to Place, progress func(done, total int)) (Restored, error) {
	r := Restored{Backup: from}
	if _, err := os.Lstat(to.Catalog); !errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("%s is there already: %w", to.Catalog, palate.ErrConflict)
	}
	staging := to.Catalog + ".restoring"
	if err := errors.Join(os.RemoveAll(staging), access.MakeFolders(staging)); err != nil {
		return r, targetError(staging, err)
	}
	w := &restoring{to: to, copied: filepath.Join(staging, catalogName), restored: &r, progress: progress}
	info, err := os.Stat(from)
	switch {
	case err != nil:
		err = fmt.Errorf("the backup %s can't be read: %w: %w", from, palate.ErrNotFound, err)
	case info.IsDir():
		err = w.fromFolder(ctx, from, snapshot)
	case snapshot != "":
		err = fmt.Errorf("%s is an archive, which has no snapshots: %w", from, palate.ErrInvalid)
	default:
		err = w.fromArchive(ctx, from)
	}
	if err == nil {
		err = w.finish(ctx)
	}
	if err != nil {
		return r, errors.Join(err, os.RemoveAll(staging))
	}
	return r, targetError(staging, errors.Join(w.place(), os.RemoveAll(staging)))
}

// place puts the prepared catalog into its place.
func (w *restoring) place() error {
	f, err := os.OpenFile(w.copied, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := atomicfile.Finish(f, access.FileIn(filepath.Dir(w.to.Catalog))); err != nil {
		return err
	}
	return atomicfile.Move(w.copied, w.to.Catalog)
}

// restoring is a restore under way.
type restoring struct {
	to       Place
	copied   string // the catalog while it is prepared
	restored *Restored
	progress func(done, total int)
	done     int
}

func (w *restoring) step(total int) {
	if w.done++; w.progress != nil {
		w.progress(w.done, total)
	}
}

// openFolder finds a snapshot of a folder: the named one, or the newest.
func openFolder(root, snapshot string) (f *folder, name string, m Manifest, err error) {
	f = &folder{root: root}
	if err := f.checkVersion(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s is no palate backup: %w", root, palate.ErrInvalid)
		}
		return nil, "", m, err
	}
	names, err := f.snapshots()
	if err != nil {
		return nil, "", m, targetError(root, err)
	}
	for _, there := range names {
		if there == snapshot || snapshot == "" {
			name = there
		}
	}
	if name == "" {
		return nil, "", m, fmt.Errorf("the backup %s has no snapshot %s (it has %d: %v): %w", root, snapshot, len(names), names, palate.ErrNotFound)
	}
	m, err = f.manifest(name)
	return f, name, m, err
}

func (w *restoring) fromFolder(ctx context.Context, root, snapshot string) error {
	f, name, m, err := openFolder(root, snapshot)
	if err != nil {
		return err
	}
	w.restored.Snapshot, w.restored.Manifest = name, m
	if err := f.copyCatalog(ctx, name, m, w.copied); err != nil {
		return err
	}
	s, err := w.to.Open(ctx, w.copied)
	if err != nil {
		return err
	}
	err = eachKept(ctx, s, func(image catalog.Image) error {
		defer w.step(m.Images + m.Trashed)
		file, err := os.Open(f.file(image.ID))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // finish tells
		}
		if err != nil {
			return err
		}
		defer file.Close()
		return w.put(ctx, image.ID, image.Bytes, file)
	})
	return errors.Join(err, s.Close())
}

// copyCatalog copies the catalog of a snapshot and compares it with the
// manifest.
func (f *folder) copyCatalog(ctx context.Context, name string, m Manifest, to string) error {
	in, err := os.Open(f.path(snapshotsFolder, name, catalogName))
	if err != nil {
		return err
	}
	defer in.Close()
	return takeCatalog(contextReader{ctx, in}, m, to)
}

func takeCatalog(r io.Reader, m Manifest, to string) error {
	sum, n, err := writeHashed(r, to)
	if err != nil {
		return targetError(to, err)
	}
	return checkCatalog(m, sum, n)
}

func checkCatalog(m Manifest, sum string, n int64) error {
	if sum != m.CatalogSHA256 || n != m.CatalogBytes {
		return fmt.Errorf("the backup's catalog is damaged: it is not what its manifest says; restore another snapshot (--snapshot): %w", palate.ErrInvalid)
	}
	return nil
}

func writeHashed(r io.Reader, to string) (sum string, n int64, err error) {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", 0, err
	}
	sum, n, err = hashAll(io.TeeReader(r, out))
	return sum, n, errors.Join(err, atomicfile.Finish(out, access.OwnFile))
}

func (w *restoring) fromArchive(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var sum string
	var size int64
	m, err := readArchive(ctx, f, archiveVisitor{
		catalog: func(r io.Reader) (err error) {
			if sum, size, err = writeHashed(r, w.copied); err != nil {
				return targetError(w.copied, err)
			}
			return nil
		},
		file: func(id palate.ImageID, r io.Reader) error {
			defer w.step(0)
			return w.put(ctx, id, maxPictureBytes, r)
		},
	})
	if err != nil {
		return err
	}
	w.restored.Manifest = m
	return checkCatalog(m, sum, size)
}

// maxPictureBytes bounds a picture from an archive, whose size nothing else
// tells; the catalog takes far smaller ones only.
const maxPictureBytes = 8 << 30

// put brings a picture into the store. One that the store has stays, unless
// it is damaged. One that is damaged in the backup is passed by: finish tells
// if there is no other.
func (w *restoring) put(ctx context.Context, id palate.ImageID, maxBytes int64, r io.Reader) error {
	if w.stored(ctx, id) {
		w.restored.Present++
		return nil
	}
	stored, err := w.to.Store.Put(ctx, r, maxBytes)
	switch {
	case err != nil && errors.Is(err, palate.ErrInvalid): // longer than the catalog says
		return nil
	case err != nil:
		return err
	case stored.ID != id:
		return w.to.Store.Delete(ctx, stored.ID) // a damaged one, under a name that nobody knows
	}
	w.restored.Files++
	return nil
}

// stored reports whether the store has the picture itself, undamaged.
func (w *restoring) stored(ctx context.Context, id palate.ImageID) bool {
	f, err := w.to.Store.Open(ctx, id)
	if err != nil {
		return false
	}
	defer f.Close()
	return checkID(id, contextReader{ctx, f}) == nil
}

func checkID(id palate.ImageID, r io.Reader) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		return err
	}
	if palate.NewImageID([32]byte(hash.Sum(nil))) != id {
		return fmt.Errorf("the file of image %s is damaged: %w", id, palate.ErrInvalid)
	}
	return nil
}

// finish brings back what is not a file of the backup, and looks whether
// everything is there.
func (w *restoring) finish(ctx context.Context) error {
	s, err := w.to.Open(ctx, w.copied)
	if err != nil {
		return err
	}
	return errors.Join(w.complete(ctx, s), s.Close())
}

func (w *restoring) complete(ctx context.Context, s Staged) error {
	problems, err := s.Check(ctx)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("the backup's catalog is damaged (%s); restore another snapshot (--snapshot): %w", problems[0], palate.ErrInvalid)
	}
	for _, ref := range w.restored.Manifest.Referenced {
		r := imagestore.Reference{Path: ref.Path, Bytes: ref.Bytes, Modified: ref.Modified}
		if ref.PathRaw != nil {
			r.Path = string(ref.PathRaw)
		}
		if _, err := hex.Decode(r.SHA256[:], []byte(ref.SHA256)[:min(64, len(ref.SHA256))]); err != nil {
			return fmt.Errorf("the backup's manifest contradicts itself: reference of image %s: %w: %w", ref.ID, palate.ErrInvalid, err)
		}
		if err := w.to.Store.PutReference(ctx, ref.ID, r); err != nil {
			return err
		}
	}
	for _, id := range w.restored.Manifest.Deleted {
		if err := s.PurgeImage(ctx, id, "deleted while it was backed up"); err != nil && !errors.Is(err, palate.ErrNotFound) {
			return err
		}
	}
	if err := w.bind(ctx, s); err != nil {
		return err
	}
	err = eachTrashed(ctx, s, func(image catalog.Image) error {
		has, err := w.to.Store.Has(ctx, image.ID)
		if w.restored.Trashed++; err == nil && !has {
			w.restored.Trashed--
			w.restored.TrashWithout++
		}
		return err
	})
	if err != nil {
		return err
	}
	return eachImage(ctx, s, func(image catalog.Image) error {
		w.restored.Images++
		has, err := w.to.Store.Has(ctx, image.ID)
		if err == nil && !has {
			w.restored.Without = append(w.restored.Without, image.ID.String())
		}
		return err
	})
}

// bind marks catalog and store as each other's. The store may have seen later
// changes of this catalog: from now on they have not been.
func (w *restoring) bind(ctx context.Context, s Staged) error {
	id, err := s.Identity(ctx)
	if err != nil {
		return err
	}
	last, err := s.LastChange(ctx)
	if err != nil {
		return err
	}
	mark, err := w.to.Store.SetMark(ctx, id.Catalog, last)
	if err != nil {
		return err
	}
	return s.SetStore(ctx, mark.Store)
}
