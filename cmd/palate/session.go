package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/terminal"
)

// session is what a command needs: the flags that all commands share, and whom
// it talks to.
type session struct {
	*globals
	*terminal.Terminal
	errOut    io.Writer
	logger    *slog.Logger
	decoding  *picture.Budget // of everything that is decoded in this process
	temporary bool            // what is made goes when the command ends
	fills     bool            // the command makes a collection where there is none
}

// A session is what collections tell of their work.
var _ collection.Teller = (*session)(nil)

func newSession(g *globals, out, errOut io.Writer) *session {
	level := slog.LevelWarn
	if g.Verbose {
		level = slog.LevelInfo
	}
	return &session{globals: g, Terminal: terminal.New(out, errOut, terminal.Style{JSON: g.JSON, Quiet: g.Quiet}), errOut: errOut,
		decoding: picture.NewDefaultBudget(), logger: slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level}))}
}

// confirm asks a question, unless yes says it already. Without a clear yes it is
// a usage error that names the flag.
func (s *session) confirm(yes bool, question string) error {
	if err := s.Confirm(os.Stdin, yes, question); err != nil {
		return usage(err)
	}
	return nil
}
