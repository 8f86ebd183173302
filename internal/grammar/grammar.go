package grammar

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/palate-art/palate/internal/manual"
)

// Config says how a program's command line is read.
type Config struct {
	Name, About string
	Out, ErrOut io.Writer
	Vars        map[string]string // defaults that depend on the machine, for ${…} in the grammar
}

// Grammar is what a command line may say.
type Grammar struct {
	parser *kong.Kong
	file   *configFile
}

// Line is a command line that was read.
type Line struct {
	context *kong.Context
	file    *configFile
}

// Ended says that reading the command line was all that was to do, as help was
// asked for and printed.
type Ended struct{ Code int }

func (e *Ended) Error() string { return "the command line is done with" }

// New makes a grammar of a pointer to a struct of commands and flags, which Parse
// fills. A flag's value comes from the command line, else from <NAME>_<FLAG> in the
// environment, else from the configuration file.
func New(commands any, c Config) (*Grammar, error) {
	file := new(configFile)
	parser, err := kong.New(commands, kong.Name(c.Name), kong.Description(c.About),
		kong.UsageOnError(),
		kong.Writers(c.Out, c.ErrOut),
		kong.Exit(func(code int) { panic(&Ended{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Help(helpOf),
		kong.ValueFormatter(func(value *kong.Value) string { return value.Help }),
		groups(c.Name),
		kong.DefaultEnvars(environment(c.Name)),
		kong.Resolvers(file),
		kong.Vars(c.Vars),
	)
	if err == nil && parser.Model.HelpFlag != nil {
		parser.Model.HelpFlag.Help = "Show this."
		for _, f := range parser.Model.Flags {
			if f.Group != nil && f.Group.Key == shared {
				parser.Model.HelpFlag.Group = f.Group
			}
		}
	}
	return &Grammar{parser, file}, err
}

// environment is what the names of a program's variables begin with.
func environment(program string) string { return strings.ToUpper(program) }

// Parse reads a command line. It fails with *Ended where nothing is left to do.
func (g *Grammar) Parse(args []string) (line *Line, err error) {
	defer func() {
		switch value := recover().(type) {
		case nil:
		case *Ended:
			err = value
		default:
			panic(value)
		}
	}()
	context, err := g.parser.Parse(asKongHasIt(args))
	if err != nil {
		return nil, err
	}
	return &Line{context, g.file}, nil
}

// asKongHasIt turns "help COMMAND" and "--version" into what the grammar knows.
func asKongHasIt(args []string) []string {
	if len(args) == 0 {
		return args
	}
	switch args[0] {
	case "help":
		return append(args[1:len(args):len(args)], "--help")
	case "--version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

// Run runs the command that was named, whose Run method may take ctx and the
// other values.
func (l *Line) Run(ctx context.Context, values ...any) error {
	l.context.BindTo(ctx, (*context.Context)(nil))
	return l.context.Run(values...)
}

// Typed reports whether a flag was given on the command line itself.
func (l *Line) Typed(flag string) bool {
	for _, element := range l.context.Path {
		if element.Flag != nil && element.Flag.Name == flag && !element.Resolved {
			return true
		}
	}
	return false
}

// Origin says of the flags that a message names which were not typed, and where
// they come from; it is empty where there are none.
func (l *Line) Origin(message string) string {
	var origins []string
	for _, flag := range l.context.Flags() {
		if !regexp.MustCompile("--"+regexp.QuoteMeta(flag.Name)+`($|[^\w-])`).MatchString(message) || l.Typed(flag.Name) {
			continue
		}
		if l.file.given[flag.Name] {
			origins = append(origins, fmt.Sprintf("--%s is set in the configuration file %s", flag.Name, l.file.Path()))
			continue
		}
		for _, variable := range flag.Envs {
			if _, set := os.LookupEnv(variable); set {
				origins = append(origins, fmt.Sprintf("--%s is set by %s", flag.Name, variable))
			}
		}
	}
	return strings.Join(origins, "; ")
}

// Describe tells of all commands.
func (g *Grammar) Describe() manual.Command { return described(g.parser.Model.Node) }

// wordsOf are those that a flag or an argument may be, if there are such.
func wordsOf(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return slices.DeleteFunc(v.EnumSlice(), func(word string) bool { return word == "" })
}

// described tells of a command and those below it.
func described(n *kong.Node) manual.Command {
	c := manual.Command{Name: n.Name, Help: n.Help}
	for _, argument := range n.Positional {
		c.Argument = strings.TrimSpace(c.Argument + " " + argument.Summary())
		if argument.Position == 0 {
			c.Words = wordsOf(argument)
		}
	}
	for _, f := range n.Flags {
		if f.Hidden {
			continue
		}
		flag := manual.Flag{Name: f.Name, Short: f.Short, Help: f.Help}
		if !f.IsBool() {
			flag.Value, flag.Words = f.FormatPlaceHolder(), wordsOf(f.Value)
		}
		c.Flags = append(c.Flags, flag)
	}
	for _, below := range n.Children {
		if !below.Hidden {
			c.Commands = append(c.Commands, described(below))
		}
	}
	return c
}
