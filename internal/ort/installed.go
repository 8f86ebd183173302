package ort

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

type version [3]int

func (v version) less(w version) bool { return slices.Compare(v[:], w[:]) < 0 }

var versionPattern = regexp.MustCompile(`^(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?`)

// parseVersion reads 1.27, 1.27.0 and 1.27.0-rc1; what follows the numbers
// says nothing about the C API.
func parseVersion(s string) (version, error) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return version{}, fmt.Errorf("%q is no version", s)
	}
	var v version
	for i, digits := range m[1:] {
		if digits != "" {
			v[i], _ = strconv.Atoi(digits)
		}
	}
	return v, nil
}

// checkLibrary opens the file and reports its version if it can be used.
func checkLibrary(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, cause(err))
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	found, hasAPI, err := probe(path)
	if err != nil {
		return "", fmt.Errorf("%s is no ONNX Runtime library that loads here: %w", path, err)
	}
	v, err := parseVersion(found)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	oldest, err := parseVersion(MinVersion)
	if err != nil {
		return "", err
	}
	if v.less(oldest) || !hasAPI {
		return "", fmt.Errorf("%s is ONNX Runtime %s, which is too old: %s or newer is needed", path, found, MinVersion)
	}
	return found, nil
}

// cause takes the path out of an error that is about to be wrapped with it.
func cause(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

func (c Config) explicit() (Library, error) {
	path, err := filepath.Abs(c.LibraryPath)
	if err != nil {
		return Library{}, fmt.Errorf("onnx runtime library %q: %w: %w", c.LibraryPath, palate.ErrInvalid, err)
	}
	found, err := checkLibrary(path)
	if err != nil {
		return Library{}, fmt.Errorf("onnx runtime library that was asked for: %w: %w", palate.ErrInvalid, err)
	}
	return Library{Path: path, Version: found, Origin: OriginExplicit}, nil
}

func (c Config) installedSource() source {
	return source{origin: OriginInstalled, where: strings.Join(c.LibraryDirs, string(os.PathListSeparator)), find: c.installed}
}

// installed takes the first folder's newest library that is new enough.
func (c Config) installed(ctx context.Context) (Library, error) {
	seen := map[string]bool{}
	var passed []error
	for _, dir := range c.LibraryDirs {
		for _, path := range libraryFiles(dir) {
			if err := ctx.Err(); err != nil {
				return Library{}, err
			}
			// The unversioned names are links to the versioned file.
			real, err := filepath.EvalSymlinks(path)
			if err != nil {
				passed = append(passed, fmt.Errorf("%s: %w", path, cause(err)))
				continue
			}
			if seen[real] {
				continue
			}
			seen[real] = true
			found, err := checkLibrary(real)
			if err != nil {
				passed = append(passed, err)
				continue
			}
			return Library{Path: real, Version: found}, nil
		}
	}
	if len(passed) > 0 {
		return Library{}, joinLine(passed)
	}
	return Library{}, absent("no file named %s", libraryNames[runtime.GOOS].show)
}

// joinLine joins errors on one line.
func joinLine(errs []error) error {
	err := errs[0]
	for _, next := range errs[1:] {
		err = fmt.Errorf("%w; %w", err, next)
	}
	return err
}

var libraryNames = map[string]struct {
	show    string
	pattern *regexp.Regexp
}{
	"linux":   {"libonnxruntime.so*", regexp.MustCompile(`^libonnxruntime\.so((?:\.\d+)*)$`)},
	"darwin":  {"libonnxruntime*.dylib", regexp.MustCompile(`^libonnxruntime((?:\.\d+)*)\.dylib$`)},
	"windows": {"onnxruntime.dll", regexp.MustCompile(`(?i)^onnxruntime()\.dll$`)},
}

// libraryFiles gives the folder's libraries, the newest by name first.
func libraryFiles(dir string) []string {
	names, ok := libraryNames[runtime.GOOS]
	if !ok {
		names = libraryNames["linux"]
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // most of the usual places don't exist
	}
	type candidate struct {
		path string
		v    version
	}
	var found []candidate
	for _, e := range entries {
		m := names.pattern.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		v, _ := parseVersion(strings.TrimPrefix(m[1], ".")) // no version in the name sorts last
		found = append(found, candidate{filepath.Join(dir, e.Name()), v})
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return slices.Compare(b.v[:], a.v[:]) })
	paths := make([]string, len(found))
	for i, f := range found {
		paths[i] = f.path
	}
	return paths
}

var debianLibraryDirs = map[string]string{
	"amd64": "/usr/lib/x86_64-linux-gnu",
	"arm64": "/usr/lib/aarch64-linux-gnu",
}

func systemLibraryDirs() []string {
	var dirs []string
	switch runtime.GOOS {
	case "windows":
		if exe, err := os.Executable(); err == nil {
			dirs = append(dirs, filepath.Dir(exe))
		}
		dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	case "darwin":
		dirs = append(dirs, filepath.SplitList(os.Getenv("DYLD_LIBRARY_PATH"))...)
		dirs = append(dirs, filepath.SplitList(os.Getenv("DYLD_FALLBACK_LIBRARY_PATH"))...)
		dirs = append(dirs, "/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib", "/usr/lib")
	default:
		dirs = append(dirs, filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
		dirs = append(dirs, "/usr/local/lib", "/usr/local/lib64", "/usr/lib", "/usr/lib64", "/lib", "/lib64",
			debianLibraryDirs[runtime.GOARCH], "/opt/onnxruntime/lib", "/usr/local/onnxruntime/lib")
		dirs = append(dirs, loaderDirs("/etc/ld.so.conf.d")...)
	}
	var unique []string
	for _, d := range dirs {
		if filepath.IsAbs(d) && !slices.Contains(unique, filepath.Clean(d)) {
			unique = append(unique, filepath.Clean(d))
		}
	}
	return unique
}

// loaderDirs reads the folders that the system's loader was told of.
func loaderDirs(confDir string) []string {
	files, err := filepath.Glob(filepath.Join(confDir, "*.conf"))
	if err != nil {
		return nil
	}
	var dirs []string
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "/") {
				dirs = append(dirs, line)
			}
		}
		f.Close()
	}
	return dirs
}
