package grammar

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// shared is the group of the flags that every command has.
const shared = "shared"

// groups say what stands above flags in help: a command's own come first, under
// no group.
func groups(program string) kong.Option {
	return kong.ExplicitGroups([]kong.Group{
		{Key: shared, Title: "Flags of all commands:", Description: fmt.Sprintf("Every flag can be given in the environment as well, %s and its name in capitals with _ for -,\nand in the configuration file. The command line wins over the environment, that over the file.", environment(program)+"_")},
		{Key: "model", Title: "Flags of all commands, about the model:"},
	})
}

// helpOf prints the help of a command. Of a command that others stand below, one
// of which is meant where none is named, it prints that one's too.
func helpOf(options kong.HelpOptions, ctx *kong.Context) error {
	selected := ctx.Selected()
	if selected == nil || selected.DefaultCmd == nil || len(ownFlags(selected.DefaultCmd))+len(selected.DefaultCmd.Positional) == 0 {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	show := hide(ctx.Model.Node)
	err := kong.DefaultHelpPrinter(options, ctx)
	show()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(ctx.Stdout, "\nWithout one of these commands, %s is meant:\n\n", selected.DefaultCmd.Name); err != nil {
		return err
	}
	ctx.Path = append(ctx.Path, &kong.Path{Command: selected.DefaultCmd})
	defer func() { ctx.Path = ctx.Path[:len(ctx.Path)-1] }()
	return kong.DefaultHelpPrinter(options, ctx)
}

// hide hides a command's own flags until show is called.
func hide(node *kong.Node) (show func()) {
	flags := ownFlags(node)
	for _, f := range flags {
		f.Hidden = true
	}
	return func() {
		for _, f := range flags {
			f.Hidden = false
		}
	}
}

// ownFlags are those of a command that help shows, without those of all.
func ownFlags(node *kong.Node) (flags []*kong.Flag) {
	for _, f := range node.Flags {
		if !f.Hidden {
			flags = append(flags, f)
		}
	}
	return flags
}
