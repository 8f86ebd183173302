package grammar

import (
	"os"

	"github.com/alecthomas/kong"

	"github.com/palate-art/palate/internal/settings"
)

// configFile gives flags the values of the configuration file. The command line
// and the environment win over it.
type configFile struct {
	read bool
	settings.File
}

var _ kong.Resolver = (*configFile)(nil)

// Resolve implements kong.Resolver.
func (f *configFile) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !f.read {
		f.read = true
		var err error
		if f.File, err = settings.Read(namedConfig(ctx)); err != nil {
			return nil, err
		}
	}
	for _, variable := range flag.Envs {
		if _, set := os.LookupEnv(variable); set {
			return nil, nil
		}
	}
	return f.Value(flag.Name), nil
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

// Validate implements kong.Resolver: it refuses names that no command has as
// a flag.
func (f *configFile) Validate(app *kong.Application) error {
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
	return f.Check(func(name string) bool { return flags[name] })
}
