package ort

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func (c Config) moduleSource() source {
	return source{origin: OriginModuleCache, where: strings.Join(c.ModuleCacheDirs, string(os.PathListSeparator)), find: c.fromModules}
}

func (c Config) fromModules(ctx context.Context) (Library, error) {
	if c.Release.ModuleFile == "" {
		return Library{}, absent("onnxruntime_go carries no library for %s", c.Release.Platform)
	}
	var passed []error
	for _, dir := range c.ModuleCacheDirs {
		path := filepath.Join(dir, filepath.FromSlash(c.Release.ModuleFile))
		sum, _, err := hashFile(ctx, path)
		switch {
		case os.IsNotExist(err):
		case err != nil:
			passed = append(passed, fmt.Errorf("%s: %w", path, cause(err)))
		case sum != c.Release.ModuleSHA256:
			passed = append(passed, fmt.Errorf("%s has SHA-256 %s, want %s", path, sum, c.Release.ModuleSHA256))
		default:
			return Library{Path: path, Version: c.Release.ModuleVersion}, nil
		}
	}
	if len(passed) > 0 {
		return Library{}, joinLine(passed)
	}
	return Library{}, absent("no %s", c.Release.ModuleFile)
}

// moduleCacheDirs gives the places where the Go tool keeps modules, without
// asking the tool, which need not be there where palate runs.
func moduleCacheDirs() []string {
	setting := goSettings()
	var dirs []string
	add := func(dir string) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	add(setting("GOMODCACHE"))
	for _, dir := range filepath.SplitList(setting("GOPATH")) {
		add(filepath.Join(dir, "pkg", "mod"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		add(filepath.Join(home, "go", "pkg", "mod"))
	}
	return dirs
}

// goSettings looks a setting up as the Go tool does: the environment first,
// then the file that `go env -w` writes.
func goSettings() func(name string) string {
	path := os.Getenv("GOENV")
	if path == "" {
		if dir, err := os.UserConfigDir(); err == nil {
			path = filepath.Join(dir, "go", "env")
		}
	}
	written := map[string]string{}
	if f, err := os.Open(path); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), "="); ok {
				written[strings.TrimSpace(name)] = strings.TrimSpace(value)
			}
		}
	}
	return func(name string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		return written[name]
	}
}
