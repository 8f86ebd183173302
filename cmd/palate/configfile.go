package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/palate-art/palate/internal/regular"
)

// configFile gives flags the values of the configuration file: a JSON object
// of flag names, with dashes or underscores, to values. The command line and
// the environment win over it.
type configFile struct {
	path   string
	read   bool
	values map[string]any // by flag name
}

var _ kong.Resolver = (*configFile)(nil)

// Resolve implements kong.Resolver.
func (f *configFile) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !f.read {
		if err := f.load(namedConfig(ctx)); err != nil {
			return nil, err
		}
	}
	for _, variable := range flag.Envs {
		if _, set := os.LookupEnv(variable); set {
			return nil, nil
		}
	}
	return f.values[flag.Name], nil
}

// namedConfig is the file that --config or its variable names, or "".
func namedConfig(ctx *kong.Context) string {
	for _, flag := range ctx.Model.Flags {
		if flag.Name == "config" {
			name, _ := ctx.FlagValue(flag).(string)
			return name
		}
	}
	return ""
}

// load reads the named file, or else the one in the user's configuration
// folder if it is there.
// maxConfigFile is far above what all flags take.
const maxConfigFile = 1 << 20

func (f *configFile) load(named string) error {
	f.read = true
	f.path = named
	if named == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return nil
		}
		f.path = filepath.Join(base, "palate", "config.json")
	}
	content, err := regular.ReadFile(f.path, maxConfigFile)
	if named == "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	var values map[string]any
	if err := json.Unmarshal(content, &values); err != nil {
		return fmt.Errorf("configuration file %s: want a JSON object of flag names to values: %w", f.path, err)
	}
	f.values = make(map[string]any, len(values))
	for name, value := range values {
		f.values[strings.ReplaceAll(name, "_", "-")] = value
	}
	return nil
}

// Validate implements kong.Resolver: it refuses names that no command has as
// a flag.
func (f *configFile) Validate(app *kong.Application) error {
	unknown := make(map[string]bool, len(f.values))
	for name := range f.values {
		unknown[name] = true
	}
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && flag.Name != "config" {
			delete(unknown, flag.Name)
		}
		return next(nil)
	})
	if err != nil || len(unknown) == 0 {
		return err
	}
	var names []string
	for name := range unknown {
		names = append(names, fmt.Sprintf("%q", name))
	}
	slices.Sort(names)
	return fmt.Errorf("configuration file %s: no command has a flag %s", f.path, strings.Join(names, ", "))
}
