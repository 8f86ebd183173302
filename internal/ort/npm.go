package ort

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// npmPackageBytes is about what the package weighs; it only scales progress.
const npmPackageBytes = 100 << 20

func (c Config) npmSource() source {
	return source{
		origin: OriginNPM, where: strings.Join(append(c.NPMCommand[:len(c.NPMCommand):len(c.NPMCommand)], "pack", c.Release.NPMPackage), " "),
		fetch: true, find: c.fromNPM,
	}
}

// fromNPM takes the library out of the npm package: one that was put into the
// cache folder by hand, or what the npm client brings.
func (c Config) fromNPM(ctx context.Context) (Library, error) {
	if c.Release.NPMPackage == "" {
		return Library{}, absent("the package has no build for %s", c.Release.Platform)
	}
	dir, err := os.MkdirTemp(c.CacheDir, "fetch-")
	if err != nil {
		return Library{}, fmt.Errorf("make a folder to fetch into: %w", err)
	}
	defer os.RemoveAll(dir)

	archive := filepath.Join(c.CacheDir, c.Release.NPMFile)
	if _, err := os.Stat(archive); errors.Is(err, fs.ErrNotExist) {
		archive = filepath.Join(dir, c.Release.NPMFile)
		if err := c.npmPack(ctx, dir); err != nil {
			return Library{}, err
		}
	} else if err != nil {
		return Library{}, fmt.Errorf("read %s: %w", archive, cause(err))
	}
	c.progress("unpacking ONNX Runtime", 0, 0)
	target := filepath.Join(dir, "library")
	sum, size, err := extractLibrary(ctx, archive, c.Release.NPMEntry, target)
	if err != nil {
		return Library{}, err
	}
	if sum != c.Release.NPMSHA256 {
		return Library{}, fmt.Errorf("the package's library (%d bytes) has SHA-256 %s, want %s", size, sum, c.Release.NPMSHA256)
	}
	return c.store(target, sum, size, OriginNPM)
}

// npmPack runs the client in dir, where the package then lies. The client's
// configuration decides which registry is asked.
func (c Config) npmPack(ctx context.Context, dir string) error {
	if c.Offline {
		return errors.New("not asked: offline")
	}
	if len(c.NPMCommand) == 0 {
		return errors.New("not asked: no npm client is configured")
	}
	program, err := exec.LookPath(c.NPMCommand[0])
	if err != nil {
		return fmt.Errorf("no npm client: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.NPMTimeout, fmt.Errorf("the npm client took longer than %v", c.NPMTimeout))
	defer cancel()
	args := append(c.NPMCommand[1:len(c.NPMCommand):len(c.NPMCommand)], "pack", c.Release.NPMPackage,
		"--ignore-scripts",
		// The user's cache would keep 100 MB that nobody asks for again.
		"--cache", filepath.Join(dir, "npm-cache"),
		"--pack-destination", dir,
		"--fetch-retries", "2", "--fetch-retry-mintimeout", "1000", "--fetch-retry-maxtimeout", "5000",
		"--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error")
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.WaitDelay = 2 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	stop := c.watch(dir)
	err = cmd.Run()
	stop()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("the npm client failed: %w: %s", err, firstLine(said.String()))
	}
	if _, err := os.Stat(filepath.Join(dir, c.Release.NPMFile)); err != nil {
		return fmt.Errorf("the npm client left no %s", c.Release.NPMFile)
	}
	return nil
}

// watch tells of the folder's growth until it is stopped: the client itself
// says nothing that a program could read.
func (c Config) watch(dir string) (stop func()) {
	if c.Progress == nil {
		return func() {}
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			c.progress("downloading ONNX Runtime with npm", min(folderBytes(dir), npmPackageBytes), npmPackageBytes)
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(quit); <-ended }
}

// folderBytes is a rough sum: files that vanish meanwhile don't matter.
func folderBytes(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// firstLine gives the first lines that say something, on one line, cut short.
func firstLine(s string) string {
	const most = 300
	line := strings.Join(strings.Fields(s), " ")
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}
