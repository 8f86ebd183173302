package backup

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/catalog"
)

// archive is a tar file that is being written.
type archive struct {
	tar  *tar.Writer
	made time.Time
	seen map[palate.ImageID]bool
}

// ToArchive backs up into one tar file. A file of that name is replaced once
// the new one is whole and was read again; a file that is no palate backup is
// palate.ErrConflict. A place that can't be written, or whose disk is full, is
// palate.ErrUnavailable.
func (c Collection) ToArchive(ctx context.Context, file string, o Options) (Report, error) {
	r := Report{Path: file}
	err := func() error {
		if err := mayReplace(file); err != nil {
			return err
		}
		work := file + ".partial"
		if err := access.MakeFolders(work); err != nil {
			return err
		}
		lock := flock.New(filepath.Join(work, lockName), flock.SetPermissions(access.OwnFile))
		locked, err := lock.TryLock()
		if err != nil {
			return err
		}
		if !locked {
			return fmt.Errorf("another process writes %s; wait for it: %w", file, palate.ErrConflict)
		}
		err = c.archive(ctx, work, file, o, &r)
		// What is left of a failed one is of no use to the next.
		return errors.Join(err, os.RemoveAll(work), lock.Close())
	}()
	return r, targetError(file, err)
}

func mayReplace(file string) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if header, err := tar.NewReader(f).Next(); err != nil || header.Name != versionName {
		return fmt.Errorf("%s is there and is no palate backup; choose another name: %w", file, palate.ErrConflict)
	}
	return nil
}

func (c Collection) archive(ctx context.Context, work, file string, o Options, r *Report) error {
	copied, written := filepath.Join(work, catalogName), filepath.Join(work, "archive.tar")
	for _, left := range []string{copied, written} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	made := time.Now().UTC()
	m := Manifest{Version: Version, MadeAt: made, MadeBy: o.Program}
	s, err := c.begin(ctx, copied, &m)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(written, os.O_CREATE|os.O_EXCL|os.O_WRONLY, access.FileIn(filepath.Dir(file)))
	if err != nil {
		return errors.Join(err, s.Close())
	}
	a := &archive{tar: tar.NewWriter(out), made: made, seen: map[palate.ImageID]bool{}}
	err = func() error {
		if err := a.bytes(versionName, []byte(versionText)); err != nil {
			return err
		}
		if err := a.catalog(ctx, copied, m); err != nil {
			return err
		}
		if err := c.fill(ctx, s, a, o, &m, r); err != nil {
			return err
		}
		text, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			return err
		}
		return errors.Join(a.bytes(manifestName, append(text, '\n')), a.tar.Close(), out.Sync())
	}()
	if err = errors.Join(err, s.Close(), out.Close()); err != nil {
		return err
	}
	r.Manifest = m
	if err := verifyArchive(ctx, written, m); err != nil {
		return err
	}
	if err := access.Follow(written); err != nil {
		return err
	}
	return atomicfile.Move(written, file)
}

func (a *archive) header(name string, size int64) error {
	return a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: a.made.Truncate(time.Second)})
}

func (a *archive) bytes(name string, content []byte) error {
	if err := a.header(name, int64(len(content))); err != nil {
		return err
	}
	_, err := a.tar.Write(content)
	return err
}

func (a *archive) catalog(ctx context.Context, copied string, m Manifest) error {
	f, err := os.Open(copied)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := a.header(catalogName, m.CatalogBytes); err != nil {
		return err
	}
	_, err = io.Copy(a.tar, contextReader{ctx, f})
	return err
}

// has implements target.
func (a *archive) has(_ context.Context, image catalog.Image) (bool, error) {
	return a.seen[image.ID], nil
}

// put implements target. It reads twice, as what is in a tar file can't be
// taken back.
func (a *archive) put(_ context.Context, image catalog.Image, r io.ReadSeeker) error {
	sum, n, err := hashAll(r)
	if err != nil {
		return err
	}
	if sum != fmt.Sprintf("%x", image.SHA256) || n != image.Bytes {
		return errDamaged
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := a.header(archiveName(image.ID), image.Bytes); err != nil {
		return err
	}
	if _, err := io.CopyN(a.tar, r, image.Bytes); err != nil {
		// Not one to pass by: the archive has its header already.
		return fmt.Errorf("the file changed while it was copied, run the same again: %w: %v", palate.ErrUnavailable, err)
	}
	a.seen[image.ID] = true
	return nil
}

func archiveName(id palate.ImageID) string {
	return path.Join(filesFolder, id.String()[:2], id.String())
}

// verifyArchive reads an archive from end to end and compares every picture
// and the catalog with their hashes.
func verifyArchive(ctx context.Context, file string, want Manifest) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	damaged := func(what string) error {
		return fmt.Errorf("%s reads as something else than was written (%s): %w", file, what, palate.ErrUnavailable)
	}
	files, sum := 0, ""
	got, err := readArchive(ctx, f, archiveVisitor{
		catalog: func(r io.Reader) (err error) { sum, _, err = hashAll(r); return err },
		file: func(id palate.ImageID, r io.Reader) error {
			files++
			return checkID(id, r)
		},
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return damaged(err.Error())
	case sum != want.CatalogSHA256 || got.CatalogSHA256 != sum:
		return damaged("the catalog")
	case files != want.Files:
		return damaged(fmt.Sprintf("%d pictures instead of %d", files, want.Files))
	}
	return nil
}

type archiveVisitor struct {
	catalog func(io.Reader) error
	file    func(palate.ImageID, io.Reader) error
}

// readArchive visits what is in an archive and returns its manifest. An
// archive that is not whole is palate.ErrInvalid.
func readArchive(ctx context.Context, f io.Reader, visit archiveVisitor) (Manifest, error) {
	notWhole := func(err error) (Manifest, error) {
		return Manifest{}, fmt.Errorf("the archive is not whole, or no palate backup: %w: %w", palate.ErrInvalid, err)
	}
	r := tar.NewReader(contextReader{ctx, f})
	for first := true; ; first = false {
		header, err := r.Next()
		if err != nil {
			if ctx.Err() != nil {
				return Manifest{}, ctx.Err()
			}
			if errors.Is(err, io.EOF) {
				err = errors.New("it has no manifest")
			}
			return notWhole(err)
		}
		if first {
			text, err := io.ReadAll(io.LimitReader(r, 1000))
			if err != nil || header.Name != versionName {
				return notWhole(errors.Join(errors.New("it does not begin with its version"), err))
			}
			if err := checkVersionText("archive", text); err != nil {
				return Manifest{}, err
			}
			continue
		}
		switch id, isFile := idOfName(header.Name); {
		case header.Name == catalogName:
			err = visit.catalog(entry{r})
		case header.Name == manifestName:
			text, err := io.ReadAll(io.LimitReader(r, maxManifest))
			if err != nil {
				return notWhole(err)
			}
			return ParseManifest(text)
		case isFile:
			err = visit.file(id, entry{r})
		}
		if err != nil {
			return Manifest{}, err
		}
	}
}

// entry is a file of an archive that may end too early.
type entry struct{ r io.Reader }

func (e entry) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the archive is not whole: %w: %w", palate.ErrInvalid, err)
	}
	return n, err
}

func idOfName(name string) (palate.ImageID, bool) {
	if !strings.HasPrefix(name, filesFolder+"/") {
		return palate.ImageID{}, false
	}
	id, err := palate.ParseImageID(path.Base(name))
	return id, err == nil && archiveName(id) == name
}
