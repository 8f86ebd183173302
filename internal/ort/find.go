package ort

import (
	"context"
	"fmt"
	"strings"

	"github.com/palate-art/palate"
)

// The origins of a library, in the order they are asked.
const (
	OriginExplicit    = "explicit"
	OriginInstalled   = "installed"
	OriginCache       = "cache"
	OriginModuleCache = "module cache"
	OriginGitHub      = "github"
	OriginNPM         = "npm"
)

// Library is an ONNX Runtime library file.
type Library struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Origin  string `json:"origin"`
}

// Attempt is what came of asking one source.
type Attempt struct {
	Source string `json:"source"` // one of the origins
	Where  string `json:"where"`  // the places that were looked at
	Reason string `json:"reason"` // why it gave nothing; empty if it did
	err    error
}

// SearchError says that no source gave a library: what was tried, what came
// of it and what to do. It is palate.ErrUnavailable.
type SearchError struct {
	Release  Release
	CacheDir string
	Attempts []Attempt
}

// Error gives several lines, one for each source.
func (e *SearchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no ONNX Runtime (%s or newer) for %s; tried:", MinVersion, e.Release.Platform)
	for _, a := range e.Attempts {
		fmt.Fprintf(&b, "\n  - %s (%s): %s", a.Source, a.Where, a.Reason)
	}
	b.WriteString("\nTo go on, do one of these:")
	if !e.Release.published() {
		fmt.Fprintf(&b, "\n  - note that there is no published build of ONNX Runtime %s for %s; build it from source", e.Release.Version, e.Release.Platform)
	}
	b.WriteString("\n  - install ONNX Runtime where the system's loader finds it")
	b.WriteString("\n  - set PALATE_ORT_LIBRARY to the path of an ONNX Runtime library")
	if e.CacheDir != "" && e.Release.Archive != "" {
		fmt.Fprintf(&b, "\n  - put %s from ONNX Runtime's releases into %s", e.Release.Archive, e.CacheDir)
	}
	return b.String()
}

// Unwrap gives palate.ErrUnavailable and the sources' own errors.
func (e *SearchError) Unwrap() []error {
	errs := []error{palate.ErrUnavailable}
	for _, a := range e.Attempts {
		if a.err != nil {
			errs = append(errs, a.err)
		}
	}
	return errs
}

// absentError is the reason of a source that simply has nothing, which is no
// news for the log.
type absentError string

func (e absentError) Error() string { return string(e) }

func absent(format string, args ...any) error { return absentError(fmt.Sprintf(format, args...)) }

// source is one place that may give a library.
type source struct {
	origin string
	where  string
	fetch  bool // it downloads: asked under the cache's lock
	find   func(context.Context) (Library, error)
}

func (c Config) sources() []source {
	return []source{
		c.installedSource(), c.cacheSource(), c.moduleSource(),
		c.githubSource(), c.npmSource(),
	}
}

// Find finds or fetches ONNX Runtime. It loads nothing for good: explicit and
// installed candidates are opened to read their version and closed again.
//
// A wrong Config or LibraryPath is ErrInvalid; when no source gives a library
// the error is a *SearchError, which is ErrUnavailable; when ctx is done, its
// error. It is safe for concurrent use, also by several processes that share
// a cache: one fetches, the others wait.
func Find(ctx context.Context, c Config) (Library, error) {
	if err := c.Validate(); err != nil {
		return Library{}, err
	}
	lib, attempts, err := c.search(ctx)
	if err != nil {
		return Library{}, err
	}
	for _, a := range attempts {
		if _, ok := a.err.(absentError); !ok {
			c.logger().Info("onnx runtime source passed over", "source", a.Source, "reason", a.Reason)
		}
	}
	c.logger().Debug("onnx runtime found", "path", lib.Path, "version", lib.Version, "origin", lib.Origin)
	return lib, nil
}

// search asks the sources in order; attempts are the ones that gave nothing.
func (c Config) search(ctx context.Context) (Library, []Attempt, error) {
	if c.LibraryPath != "" {
		lib, err := c.explicit()
		return lib, nil, err
	}
	var attempts []Attempt
	ask := func(s source) (Library, bool) {
		lib, err := s.find(ctx)
		if err != nil {
			attempts = append(attempts, Attempt{Source: s.origin, Where: s.where, Reason: err.Error(), err: err})
			return Library{}, false
		}
		lib.Origin = s.origin
		return lib, true
	}
	var fetching []source
	for _, s := range c.sources() {
		if s.fetch {
			fetching = append(fetching, s)
			continue
		}
		if lib, ok := ask(s); ok {
			return lib, attempts, nil
		}
		if err := ctx.Err(); err != nil {
			return Library{}, nil, fmt.Errorf("find onnx runtime: %w", err)
		}
	}

	unlock, err := c.lockCache(ctx)
	if ctx.Err() != nil {
		return Library{}, nil, fmt.Errorf("find onnx runtime: %w", ctx.Err())
	}
	if err != nil {
		for _, s := range fetching {
			attempts = append(attempts, Attempt{Source: s.origin, Where: s.where, Reason: err.Error(), err: err})
		}
		return Library{}, nil, &SearchError{Release: c.Release, CacheDir: c.CacheDir, Attempts: attempts}
	}
	defer unlock()
	// Another process may have brought it while this one waited.
	if lib, err := c.fromCache(ctx); err == nil {
		lib.Origin = OriginCache
		return lib, attempts, nil
	}
	for _, s := range fetching {
		if lib, ok := ask(s); ok {
			return lib, attempts, nil
		}
		if err := ctx.Err(); err != nil {
			return Library{}, nil, fmt.Errorf("find onnx runtime: %w", err)
		}
	}
	return Library{}, nil, &SearchError{Release: c.Release, CacheDir: c.CacheDir, Attempts: attempts}
}
