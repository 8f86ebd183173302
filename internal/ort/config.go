package ort

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/palate-art/palate"
)

// Config says where ONNX Runtime may come from. Begin with DefaultConfig.
type Config struct {
	// LibraryPath is an explicit library file. Nothing else is looked at
	// when it is set.
	LibraryPath string
	// LibraryDirs are searched for an installed library, in order.
	LibraryDirs []string
	// CacheDir keeps what was fetched; it belongs to one Release. Empty
	// turns off the cache and with it every source that fetches.
	CacheDir string
	// ModuleCacheDirs are roots of Go module caches, in order.
	ModuleCacheDirs []string
	// ReleaseURL is the address below which Release.Archive lies.
	ReleaseURL string
	// NPMCommand is the npm client and its leading arguments. Empty turns
	// the source off.
	NPMCommand []string
	// Offline turns off the sources that need a network.
	Offline bool
	// Release is what to fetch.
	Release Release

	// ConnectTimeout bounds the connecting to each host, StallTimeout the
	// time without a byte of a download (npm excepted, which has its own),
	// NPMTimeout the whole run of the npm client.
	ConnectTimeout, StallTimeout, NPMTimeout time.Duration

	// Progress, if not nil, hears of fetching: stage says what is going on,
	// done and total are bytes, total 0 when it is not known. It is called
	// from one goroutine at a time.
	Progress func(stage string, done, total int64)
	// Logger hears which library was taken and which were passed over.
	Logger *slog.Logger
}

// DefaultConfig gives the usual places of this machine. It honours the
// variables of the system's loader (LD_LIBRARY_PATH, DYLD_LIBRARY_PATH,
// PATH on Windows) and of the Go tool (GOMODCACHE, GOPATH), as those name
// places where libraries lie; palate's own variables are read by
// ConfigFromEnv only.
func DefaultConfig() Config {
	c := Config{
		LibraryDirs:     systemLibraryDirs(),
		ModuleCacheDirs: moduleCacheDirs(),
		ReleaseURL:      "https://github.com/microsoft/onnxruntime/releases/download/v" + pinnedVersion,
		NPMCommand:      []string{"npm"},
		Release:         DefaultRelease(runtime.GOOS, runtime.GOARCH),
		ConnectTimeout:  5 * time.Second,
		StallTimeout:    30 * time.Second,
		NPMTimeout:      15 * time.Minute,
		Logger:          slog.New(slog.DiscardHandler),
	}
	// Without a home there is no cache; Find then says so.
	if dir, err := os.UserCacheDir(); err == nil {
		c.CacheDir = cacheDirBelow(filepath.Join(dir, "palate"))
	}
	return c
}

func cacheDirBelow(root string) string {
	return filepath.Join(root, "onnxruntime", pinnedVersion)
}

// Validate reports everything that is wrong with c, as ErrInvalid.
func (c Config) Validate() error {
	var errs []error
	if err := c.Release.validate(); err != nil {
		errs = append(errs, err)
	}
	if u, err := url.Parse(c.ReleaseURL); err != nil {
		errs = append(errs, fmt.Errorf("release address: %w", err))
	} else if c.ReleaseURL != "" && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		errs = append(errs, fmt.Errorf("release address %q is no http or https address", c.ReleaseURL))
	}
	if len(c.NPMCommand) > 0 && c.NPMCommand[0] == "" {
		errs = append(errs, errors.New("npm command is empty"))
	}
	if c.CacheDir != "" && !filepath.IsAbs(c.CacheDir) {
		errs = append(errs, fmt.Errorf("cache folder %q is not an absolute path", c.CacheDir))
	}
	for _, t := range []struct {
		name  string
		value time.Duration
	}{{"connect", c.ConnectTimeout}, {"stall", c.StallTimeout}, {"npm", c.NPMTimeout}} {
		if t.value <= 0 {
			errs = append(errs, fmt.Errorf("%s time-out %v is not positive", t.name, t.value))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("onnx runtime configuration: %w: %w", palate.ErrInvalid, errors.Join(errs...))
	}
	return nil
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}

func (c Config) progress(stage string, done, total int64) {
	if c.Progress != nil {
		c.Progress(stage, done, total)
	}
}
