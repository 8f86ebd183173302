package grammar

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/palate-art/palate/internal/settings"
)

// FileError says what is wrong with the configuration file, and where.
type FileError struct{ error }

// Unwrap gives what was wrong.
func (e *FileError) Unwrap() error { return e.error }

// configFile gives flags the values of the configuration file. The command line
// and the environment win over it. What is wrong with the file is kept until
// Validate: kong would put the name of the flag before it that it asked for.
type configFile struct {
	read  bool
	wrong *FileError
	given map[string]bool // flags whose value is the file's
	settings.File
}

var _ kong.Resolver = (*configFile)(nil)

// Resolve implements kong.Resolver.
func (f *configFile) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !f.read {
		f.read, f.given = true, make(map[string]bool)
		var err error
		if f.File, err = settings.Read(namedConfig(ctx)); err != nil {
			f.wrong = &FileError{err}
		}
	}
	if f.wrong != nil {
		return nil, nil
	}
	for _, variable := range flag.Envs {
		if _, set := os.LookupEnv(variable); set {
			return nil, nil
		}
	}
	value := f.Value(flag.Name)
	if value == nil {
		return nil, nil
	}
	if err := fits(flag, value); err != nil {
		f.wrong = &FileError{f.At(flag.Name, err)}
		return nil, nil
	}
	f.given[flag.Name] = true
	return value, nil
}

// fits reports why a flag can't have a value.
func fits(flag *kong.Flag, value any) error {
	switch value.(type) {
	case map[string]any:
		return errors.New("a flag's value is no JSON object")
	case []any:
		if !flag.IsSlice() {
			return errors.New("it takes one value, no list")
		}
	}
	trial := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), trial); err != nil {
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), flag.ShortSummary()+": "))
	}
	text, isText := value.(string)
	if allowed := flag.EnumSlice(); flag.Enum != "" && isText && !slices.Contains(allowed, text) {
		return fmt.Errorf("must be one of %s but got %q", strings.Join(slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" }), ", "), text)
	}
	return nil
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

// Validate implements kong.Resolver: it refuses what could not be read, and names
// that no command has as a flag.
func (f *configFile) Validate(app *kong.Application) error {
	if f.wrong != nil {
		return f.wrong
	}
	flags := make(map[string]bool)
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			flags[flag.Name] = flag.Name != "config"
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	if err := f.Check(func(name string) bool { return flags[name] }); err != nil {
		return &FileError{err}
	}
	return nil
}
