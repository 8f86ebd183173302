package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate/internal/regular"
)

// maxFile is far above what all flags take.
const maxFile = 1 << 20

// File is a configuration file that was read. The zero File sets nothing.
type File struct {
	path   string
	values map[string]any // by flag name
}

// Read reads the named file, which must be there; with an empty name the one in
// the user's configuration folder, if it is there.
func Read(named string) (File, error) {
	f := File{path: named}
	if named == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return f, nil
		}
		f.path = filepath.Join(base, "palate", "config.json")
	}
	content, err := regular.ReadFile(f.path, maxFile)
	if named == "" && errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("configuration file: %w", err)
	}
	var values map[string]any
	if err := json.Unmarshal(content, &values); err != nil {
		return f, fmt.Errorf("configuration file %s: want a JSON object of flag names to values: %w", f.path, err)
	}
	f.values = make(map[string]any, len(values))
	for name, value := range values {
		f.values[strings.ReplaceAll(name, "_", "-")] = value
	}
	return f, nil
}

// Value is what the file gives a flag, named with dashes; nil is nothing. It is
// as JSON decodes into an empty interface.
func (f File) Value(flag string) any { return f.values[flag] }

// Path is where the file is.
func (f File) Path() string { return f.path }

// At is an error in what the file gives a flag.
func (f File) At(flag string, err error) error {
	return fmt.Errorf("configuration file %s: %q: %w", f.path, flag, err)
}

// Check refuses a file that sets what no command has as a flag.
func (f File) Check(isFlag func(name string) bool) error {
	var unknown []string
	for name := range f.values {
		if !isFlag(name) {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("configuration file %s: no command has a flag %s", f.path, strings.Join(unknown, ", "))
}
