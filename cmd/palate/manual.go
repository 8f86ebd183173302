package main

import (
	"github.com/palate-art/palate/internal/grammar"
	"github.com/palate-art/palate/internal/manual"
)

type completionCommand struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Run prints a script for a shell.
func (c *completionCommand) Run(s *session, g *grammar.Grammar) error {
	return manual.Complete(s.Out(), c.Shell, g.Describe())
}

type manualCommand struct{}

// Run prints the manual page.
func (manualCommand) Run(s *session, g *grammar.Grammar) error {
	return manual.Page(s.Out(), g.Describe(), version())
}
