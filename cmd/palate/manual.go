package main

import (
	"strings"

	"github.com/alecthomas/kong"

	"github.com/palate-art/palate/internal/manual"
)

// beginning is what palate says without a command.
const beginning = `palate learns which art you like.

Begin with one of these:
  demo       try everything on a synthetic museum, in your browser:  palate demo
  crawl      collect pictures from a site:  palate crawl ADDRESS --contact you@example.org
  import     or take your own; good/ and bad/ in it are likes and dislikes:  palate import FOLDER
  embed      let a model see them:  palate embed
  serve      like and dislike on a page, which learns meanwhile:  palate serve
Or without the page:
  rate       like or dislike pictures:  palate rate like IMAGE…
  train      learn the taste:  palate train
  scores     see what you will like:  palate scores --unrated
  similar    see what is like a picture:  palate similar IMAGE
  sort       sort a folder:  palate sort FOLDER
When something is amiss:
  doctor     says what is there, and what is wrong
  version    says which palate this is

palate help lists all commands, palate help COMMAND explains one.
`

// asKongHasIt turns "help COMMAND" and "--version" into what the grammar knows.
func asKongHasIt(args []string) []string {
	switch args[0] {
	case "help":
		return append(args[1:len(args):len(args)], "--help")
	case "--version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

type completionCommand struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Run prints a script for a shell.
func (c *completionCommand) Run(s *session, grammar *kong.Kong) error {
	return manual.Complete(s.Out(), c.Shell, described(grammar.Model.Node))
}

type manualCommand struct{}

// Run prints the manual page.
func (manualCommand) Run(s *session, grammar *kong.Kong) error {
	return manual.Page(s.Out(), described(grammar.Model.Node), version())
}

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
