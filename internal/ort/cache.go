package ort

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/palate-art/palate/internal/atomicfile"
)

const recordFormat = 1

// record stands beside a cached library and says what it must be.
type record struct {
	Format int    `json:"format"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Origin string `json:"origin"`
}

func (c Config) libraryFile() string { return filepath.Join(c.CacheDir, c.Release.FileName) }
func (c Config) recordFile() string  { return c.libraryFile() + ".json" }

func (c Config) cacheSource() source {
	where := c.CacheDir
	if where == "" {
		where = "no folder"
	}
	return source{origin: OriginCache, where: where, find: c.fromCache}
}

// fromCache gives the cached library if it still is what was fetched.
func (c Config) fromCache(ctx context.Context) (Library, error) {
	if c.CacheDir == "" {
		return Library{}, absent("there is no cache folder (the user's home is not known)")
	}
	if c.Release.FileName == "" {
		return Library{}, absent("nothing is fetched for %s", c.Release.Platform)
	}
	sum, size, err := hashFile(ctx, c.libraryFile())
	if errors.Is(err, fs.ErrNotExist) {
		return Library{}, absent("no %s", c.Release.FileName)
	}
	if err != nil {
		return Library{}, fmt.Errorf("read %s: %w", c.Release.FileName, cause(err))
	}
	lib := Library{Path: c.libraryFile(), Version: c.Release.Version}
	if sum == c.Release.NPMSHA256 {
		return lib, nil
	}
	text, err := os.ReadFile(c.recordFile())
	if err != nil {
		return Library{}, fmt.Errorf("%s has SHA-256 %s, which is not pinned, and no readable record: %w", c.Release.FileName, sum, cause(err))
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil || r.Format != recordFormat {
		return Library{}, fmt.Errorf("the record of %s can't be read", c.Release.FileName)
	}
	if r.Size != size || r.SHA256 != sum {
		return Library{}, fmt.Errorf("%s is damaged: %d bytes with SHA-256 %s, want %d with %s", c.Release.FileName, size, sum, r.Size, r.SHA256)
	}
	return lib, nil
}

// lockCache makes the cache folder and takes its lock, waiting for as long as
// ctx allows: the holder may be fetching 100 MB.
func (c Config) lockCache(ctx context.Context) (unlock func(), err error) {
	if c.CacheDir == "" {
		return nil, errors.New("there is no cache folder to fetch into")
	}
	if !c.Release.published() {
		return nil, fmt.Errorf("there is no published build of ONNX Runtime %s for %s", c.Release.Version, c.Release.Platform)
	}
	if err := os.MkdirAll(c.CacheDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache folder: %w", err)
	}
	lock := flock.New(filepath.Join(c.CacheDir, ".lock"))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		c.progress("waiting for another process that fetches ONNX Runtime", 0, 0)
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("lock the cache folder: %w", err)
	}
	c.removeUnfinished()
	return func() { _ = lock.Close() }, nil // closing the file releases the lock whatever Close says
}

// removeUnfinished removes what killed processes left. Only the lock's holder
// calls it, so nothing that is in use goes. What can't be removed only costs
// room.
func (c Config) removeUnfinished() {
	entries, err := os.ReadDir(c.CacheDir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if _, half := atomicfile.Half(entry.Name()); !half && !strings.HasPrefix(entry.Name(), "fetch-") {
			continue
		}
		path := filepath.Join(c.CacheDir, entry.Name())
		if err := os.RemoveAll(path); err != nil {
			c.logger().Warn("unfinished fetch can't be removed", "path", path, "error", err)
		}
	}
}

// store moves a fetched library, already synced, into its place.
func (c Config) store(fetched, sum string, size int64, origin string) (Library, error) {
	text, err := json.Marshal(record{Format: recordFormat, SHA256: sum, Size: size, Origin: origin})
	if err != nil {
		return Library{}, fmt.Errorf("encode the record: %w", err)
	}
	// Between the two moves a new library may stand beside an old record;
	// readers then take it for damaged, wait for the lock and look again.
	if err := atomicfile.Move(fetched, c.libraryFile()); err != nil {
		return Library{}, fmt.Errorf("keep the library: %w", err)
	}
	if err := atomicfile.WriteBytes(c.recordFile(), 0o644, text); err != nil {
		return Library{}, fmt.Errorf("keep the record: %w", err)
	}
	return Library{Path: c.libraryFile(), Version: c.Release.Version}, nil
}

// hashFile gives the SHA-256 of a file in hexadecimal, and its size.
func hashFile(ctx context.Context, path string) (string, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, contextReader{ctx, f})
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), n, nil
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
