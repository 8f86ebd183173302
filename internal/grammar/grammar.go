package grammar

import (
	"context"
	"io"
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
type Grammar struct{ parser *kong.Kong }

// Line is a command line that was read.
type Line struct{ context *kong.Context }

// Ended says that reading the command line was all that was to do, as help was
// asked for and printed.
type Ended struct{ Code int }

func (e *Ended) Error() string { return "the command line is done with" }

// New makes a grammar of a pointer to a struct of commands and flags, which Parse
// fills. A flag's value comes from the command line, else from <NAME>_<FLAG> in the
// environment, else from the configuration file.
func New(commands any, c Config) (*Grammar, error) {
	parser, err := kong.New(commands, kong.Name(c.Name), kong.Description(c.About),
		kong.UsageOnError(),
		kong.Writers(c.Out, c.ErrOut),
		kong.Exit(func(code int) { panic(&Ended{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.DefaultEnvars(strings.ToUpper(c.Name)),
		kong.Resolvers(new(configFile)),
		kong.Vars(c.Vars),
	)
	return &Grammar{parser}, err
}

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
	return &Line{context}, nil
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

// Describe tells of all commands.
func (g *Grammar) Describe() manual.Command { return described(g.parser.Model.Node) }

// described tells of a command and those below it.
func described(n *kong.Node) manual.Command {
	c := manual.Command{Name: n.Name, Help: n.Help}
	for _, argument := range n.Positional {
		c.Argument = strings.TrimSpace(c.Argument + " " + argument.Summary())
	}
	for _, f := range n.Flags {
		if f.Hidden {
			continue
		}
		flag := manual.Flag{Name: f.Name, Short: f.Short, Help: f.Help}
		if !f.IsBool() {
			flag.Value = f.FormatPlaceHolder()
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
