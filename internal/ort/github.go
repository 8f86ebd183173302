package ort

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func (c Config) githubSource() source {
	return source{
		origin: OriginGitHub, where: strings.TrimSuffix(c.ReleaseURL, "/") + "/" + c.Release.Archive,
		fetch: true, find: c.fromGitHub,
	}
}

// fromGitHub unpacks the release archive: one that was put into the cache
// folder by hand, or a fresh download.
func (c Config) fromGitHub(ctx context.Context) (Library, error) {
	if c.Release.Archive == "" {
		return Library{}, absent("no archive is published for %s", c.Release.Platform)
	}
	dir, err := os.MkdirTemp(c.CacheDir, "fetch-")
	if err != nil {
		return Library{}, fmt.Errorf("make a folder to fetch into: %w", err)
	}
	defer os.RemoveAll(dir)

	archive := filepath.Join(c.CacheDir, c.Release.Archive)
	sum, _, err := hashFile(ctx, archive)
	switch {
	case err == nil && sum == c.Release.ArchiveSHA256:
	case err == nil || errors.Is(err, fs.ErrNotExist):
		byHand := ""
		if err == nil {
			byHand = fmt.Sprintf("; the file in the cache folder has SHA-256 %s, want %s", sum, c.Release.ArchiveSHA256)
		}
		archive = filepath.Join(dir, c.Release.Archive)
		if err := c.downloadArchive(ctx, archive); err != nil {
			return Library{}, fmt.Errorf("%w%s", err, byHand)
		}
	default:
		return Library{}, fmt.Errorf("read %s: %w", archive, cause(err))
	}
	c.progress("unpacking ONNX Runtime", 0, 0)
	target := filepath.Join(dir, "library")
	sum, size, err := extractLibrary(ctx, archive, c.Release.ArchiveEntry, target)
	if err != nil {
		return Library{}, err
	}
	return c.store(target, sum, size, OriginGitHub)
}

func (c Config) downloadArchive(ctx context.Context, target string) error {
	if c.Offline {
		return errors.New("not asked: offline")
	}
	if c.ReleaseURL == "" {
		return errors.New("not asked: no address is configured")
	}
	if err := c.download(ctx, c.githubSource().where, target); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	sum, size, err := hashFile(ctx, target)
	if err != nil {
		return fmt.Errorf("read the download: %w", err)
	}
	if sum != c.Release.ArchiveSHA256 {
		return fmt.Errorf("the download (%d bytes) has SHA-256 %s, want %s", size, sum, c.Release.ArchiveSHA256)
	}
	return nil
}

var errStalled = errors.New("no byte came for too long")

// download writes what lies at the address to target, a new file.
func (c Config) download(ctx context.Context, address, target string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "palate")
	// No Accept-Encoding: the archive's bytes are what is hashed.
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: c.ConnectTimeout}).DialContext,
		TLSHandshakeTimeout:   c.ConnectTimeout,
		ResponseHeaderTimeout: c.StallTimeout,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
	}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	if resp.ContentLength > maxArchiveBytes {
		return fmt.Errorf("the server announces %d bytes, more than %d MB", resp.ContentLength, maxArchiveBytes>>20)
	}
	stall := time.AfterFunc(c.StallTimeout, func() { cancel(errStalled) })
	defer stall.Stop()
	body := &progressReader{r: io.LimitReader(resp.Body, maxArchiveBytes+1), seen: func(done int64) {
		stall.Reset(c.StallTimeout)
		c.progress("downloading ONNX Runtime", done, max(resp.ContentLength, 0))
	}}
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, body)
	if err == nil && n > maxArchiveBytes {
		err = fmt.Errorf("more than %d MB came", maxArchiveBytes>>20)
	}
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		err = fmt.Errorf("after %d bytes: %w", n, errStalled)
	} else if err != nil {
		err = fmt.Errorf("after %d bytes: %w", n, err)
	}
	return errors.Join(err, f.Close())
}

// progressReader tells how many bytes went through.
type progressReader struct {
	r    io.Reader
	done int64
	seen func(done int64)
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.done += int64(n)
	p.seen(p.done)
	return n, err
}
