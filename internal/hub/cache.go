package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/regular"
)

// Find gives a file that lies in the cache, without asking the network and
// without reading the file: its size and the hash that it is stored under are
// what is wanted, where those are known. Otherwise the error is
// palate.ErrNotFound and says where it was looked for.
func (c *Client) Find(f File) (Local, error) {
	if err := f.Validate(); err != nil {
		return Local{}, err
	}
	if c.config.CacheDir == "" {
		return Local{}, fmt.Errorf("%s: no cache folder, as the user's home is not known: %w", f, palate.ErrNotFound)
	}
	commit := f.Revision
	if !commitPattern.MatchString(commit) {
		text, err := os.ReadFile(filepath.Join(c.repository(f), "refs", f.Revision))
		if err != nil {
			return Local{}, fmt.Errorf("%s: nothing known of revision %s in %s: %w", f, f.Revision, c.config.CacheDir, palate.ErrNotFound)
		}
		if commit = strings.TrimSpace(string(text)); !commitPattern.MatchString(commit) {
			return Local{}, fmt.Errorf("%s: %s in %s is no commit: %w", f, "refs/"+f.Revision, c.repository(f), palate.ErrNotFound)
		}
	}
	local, err := c.look(f, commit)
	if err == nil || f.SHA256 == "" {
		return local, err
	}
	// The bytes may have come under another commit.
	blob := c.blob(f, f.SHA256)
	info, blobErr := os.Stat(blob)
	if blobErr != nil || !info.Mode().IsRegular() || f.Size != 0 && info.Size() != f.Size {
		return Local{}, err
	}
	return Local{Path: blob, Commit: commit, SHA256: f.SHA256, Size: info.Size()}, nil
}

// look looks at one snapshot.
func (c *Client) look(f File, commit string) (Local, error) {
	p := c.snapshot(f, commit)
	info, err := os.Stat(p)
	if err != nil {
		return Local{}, fmt.Errorf("%s: not in %s: %w", f, c.config.CacheDir, palate.ErrNotFound)
	}
	local := Local{Path: p, Commit: commit, Size: info.Size()}
	if !info.Mode().IsRegular() {
		return Local{}, fmt.Errorf("%s: %s is no file: %w", f, p, palate.ErrNotFound)
	}
	if f.Size != 0 && info.Size() != f.Size {
		return Local{}, fmt.Errorf("%s: %s has %d bytes, want %d: %w", f, p, info.Size(), f.Size, palate.ErrNotFound)
	}
	target, err := os.Readlink(p)
	if base := filepath.Base(target); err == nil && sha256Pattern.MatchString(base) {
		local.SHA256 = base
	} else if err == nil && commitPattern.MatchString(base) {
		local.GitSHA1 = base
	} else if c.isBlob(f, f.SHA256, info) {
		local.SHA256 = f.SHA256
	}
	if f.SHA256 != "" && local.SHA256 != "" && local.SHA256 != f.SHA256 {
		return Local{}, fmt.Errorf("%s: %s is stored under SHA-256 %s, want %s: %w", f, p, local.SHA256, f.SHA256, palate.ErrNotFound)
	}
	return local, nil
}

// isBlob reports whether a file is the blob itself, by a hard link.
func (c *Client) isBlob(f File, sum string, info fs.FileInfo) bool {
	if sum == "" {
		return false
	}
	blob, err := os.Stat(c.blob(f, sum))
	return err == nil && os.SameFile(blob, info)
}

// Verify reads a cached file and holds it against what it must be: f's hash,
// else the one that it is stored under. A file that is not there is
// palate.ErrNotFound, one that is damaged palate.ErrInvalid.
func (c *Client) Verify(ctx context.Context, f File) (Local, error) {
	local, err := c.Find(f)
	if err != nil {
		return Local{}, err
	}
	want := f.SHA256
	if want == "" {
		want = local.Hash()
	}
	sum, err := hashAs(ctx, local.Path, want)
	if err != nil {
		return Local{}, fmt.Errorf("%s: %w", f, err)
	}
	if want != "" && sum != want {
		return Local{}, fmt.Errorf("%s is damaged: %s has %s %s, want %s: %w", f, local.Path, hashName(want), sum, want, palate.ErrInvalid)
	}
	if local.GitSHA1 == "" || want != local.GitSHA1 {
		local.SHA256 = sum
	}
	return local, nil
}

// hashAs hashes a file as a wanted hash is written: of 40 digits as git names
// it, else by SHA-256.
func hashAs(ctx context.Context, name, want string) (string, error) {
	if !commitPattern.MatchString(want) {
		return HashFile(ctx, name)
	}
	text, err := regular.ReadFile(name, maxGitBytes)
	if err != nil {
		return "", err
	}
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(text)), text...))
	return hex.EncodeToString(sum[:]), ctx.Err()
}

func hashName(sum string) string {
	if commitPattern.MatchString(sum) {
		return "git's SHA-1"
	}
	return "SHA-256"
}

// HashFile gives the SHA-256 of a file in hexadecimal.
func HashFile(ctx context.Context, name string) (string, error) {
	file, err := regular.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, contextReader{ctx, file}, make([]byte, 1<<20)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// contextReader ends with ctx's error once ctx is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Remove takes a file out of its snapshot, and its bytes out of the cache
// unless another snapshot has them too. A file that is not there is
// palate.ErrNotFound. It waits while another process downloads the file.
func (c *Client) Remove(ctx context.Context, f File) error {
	local, err := c.Find(f)
	if err != nil {
		return err
	}
	sum := local.Hash()
	if sum != "" {
		unlock, err := c.lock(ctx, f, sum)
		if err != nil {
			return err
		}
		defer unlock()
	}
	snapshot := c.snapshot(f, local.Commit)
	if err := os.Remove(snapshot); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c.cacheError(err)
	}
	if sum != "" && !c.linked(f, sum) {
		if err := os.Remove(c.blob(f, sum)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c.cacheError(err)
		}
	}
	// Folders go as far as they are empty.
	for dir := filepath.Dir(snapshot); dir != c.repository(f) && os.Remove(dir) == nil; {
		dir = filepath.Dir(dir)
	}
	return nil
}

// Discard takes damaged bytes out of the cache, also where other snapshots show
// them: their links wait until Fetch brings the bytes again. A file that is not
// there is palate.ErrNotFound.
func (c *Client) Discard(ctx context.Context, f File) error {
	local, err := c.Find(f)
	if err != nil {
		return err
	}
	damaged := []string{local.Path}
	if sum := local.Hash(); sum != "" {
		unlock, err := c.lock(ctx, f, sum)
		if err != nil {
			return err
		}
		defer unlock()
		damaged = append(damaged, c.blob(f, sum))
	}
	for _, name := range damaged {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c.cacheError(err)
		}
	}
	return nil
}

// linked reports whether any snapshot still shows the blob.
func (c *Client) linked(f File, sum string) bool {
	found := false
	_ = filepath.WalkDir(filepath.Join(c.repository(f), "snapshots"), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if target, err := os.Readlink(p); err == nil && filepath.Base(target) == sum {
			found = true
		} else if info, err := d.Info(); err == nil && info.Mode().IsRegular() && c.isBlob(f, sum, info) {
			found = true
		}
		return nil
	})
	return found
}

func (c *Client) repository(f File) string { return filepath.Join(c.config.CacheDir, f.folder()) }

func (c *Client) blob(f File, sum string) string {
	return filepath.Join(c.repository(f), "blobs", sum)
}

func (c *Client) snapshot(f File, commit string) string {
	return filepath.Join(c.repository(f), "snapshots", commit, filepath.FromSlash(f.Path))
}

// show makes the blob appear in a snapshot, and the commit under the name that
// was asked for.
func (c *Client) show(f File, commit, sum string) (Local, error) {
	blob, p := c.blob(f, sum), c.snapshot(f, commit)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return Local{}, err
	}
	if err := c.link(blob, p); err != nil {
		return Local{}, err
	}
	if f.Revision != commit {
		ref := filepath.Join(c.repository(f), "refs", f.Revision)
		if err := os.MkdirAll(filepath.Dir(ref), 0o755); err != nil {
			return Local{}, err
		}
		if err := atomicfile.WriteBytes(ref, 0o644, []byte(commit)); err != nil {
			return Local{}, err
		}
	}
	return c.look(f, commit)
}

// link makes p show the blob in one step: a reader sees the old file or the
// new one.
func (c *Client) link(blob, p string) error {
	target, err := filepath.Rel(filepath.Dir(p), blob)
	if err != nil {
		return err
	}
	temp := p + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := c.config.Symlink(target, temp); err != nil {
		if err := os.Link(blob, temp); err != nil {
			return copyFile(blob, p)
		}
	}
	return os.Rename(temp, p)
}

// copyFile is for where files have one name only.
func copyFile(from, to string) error {
	in, err := regular.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return atomicfile.Write(to, 0o644, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}
