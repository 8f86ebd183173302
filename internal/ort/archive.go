package ort

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// The largest library known, linux/amd64 with WebGPU, has 38 MB; what is far
// beyond is not what was asked for and must not fill the disk.
const (
	maxArchiveBytes = 512 << 20
	maxLibraryBytes = 256 << 20
)

// extractLibrary writes the one entry of the archive to target, a new file,
// syncs it and gives its SHA-256 and size. No other entry is written and no
// name out of the archive becomes a path.
func extractLibrary(ctx context.Context, archive, entry, target string) (sum string, size int64, err error) {
	open := openTar
	if strings.HasSuffix(archive, ".zip") {
		open = openZip
	}
	r, done, err := open(ctx, archive, entry)
	if err != nil {
		return "", 0, fmt.Errorf("unpack: %w", err)
	}
	defer done()
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return "", 0, fmt.Errorf("unpack: %w", err)
	}
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, h), io.LimitReader(contextReader{ctx, r}, maxLibraryBytes+1))
	if err == nil && size > maxLibraryBytes {
		err = fmt.Errorf("%s is larger than %d MB", entry, maxLibraryBytes>>20)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", 0, fmt.Errorf("unpack: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

func openTar(ctx context.Context, archive, entry string) (io.Reader, func(), error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, nil, err
	}
	fail := func(err error) (io.Reader, func(), error) {
		f.Close()
		return nil, nil, err
	}
	gz, err := gzip.NewReader(contextReader{ctx, f})
	if err != nil {
		return fail(err)
	}
	// Skipping entries inflates them: the bound is for all of them together.
	r := tar.NewReader(io.LimitReader(gz, 4*maxArchiveBytes))
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return fail(fmt.Errorf("no file %s in the archive", entry))
		}
		if err != nil {
			return fail(err)
		}
		if header.Typeflag == tar.TypeReg && path.Clean(header.Name) == entry {
			return r, func() { f.Close() }, nil
		}
	}
}

func openZip(_ context.Context, archive, entry string) (io.Reader, func(), error) {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range z.File {
		if path.Clean(f.Name) != entry || !f.Mode().IsRegular() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			z.Close()
			return nil, nil, err
		}
		return r, func() { r.Close(); z.Close() }, nil
	}
	z.Close()
	return nil, nil, fmt.Errorf("no file %s in the archive", entry)
}
