package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// The ways in which a word stands out, as ECMA-48 has them.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	normal = "\x1b[0m"
)

// coloured reports whether what is written to w may stand out: on a terminal that
// can, unless NO_COLOR is set to anything (no-color.org); CLICOLOR_FORCE asks for
// it wherever it is written to, and CLICOLOR=0 for none (bixense.com/clicolors).
func coloured(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" {
		return false
	}
	if force := os.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	return isTerminal(w) && os.Getenv("TERM") != "dumb" && os.Getenv("CLICOLOR") != "0"
}

// standing gives a text in a way, if it may.
func standing(may bool, way, text string) string {
	if !may || text == "" {
		return text
	}
	return way + text + normal
}

// Alarm gives a word of a result that must not be overlooked.
func (t *Terminal) Alarm(word string) string { return standing(t.outColour, red+bold, word) }

// Name gives a program's name as it stands before a message of its failure on w.
func Name(w io.Writer, name string) string { return standing(coloured(w), red+bold, name) }

// isTerminal reports whether w is a terminal, where a bar can be redrawn.
func isTerminal(w io.Writer) bool {
	if own, ok := w.(*Writer); ok {
		w = own.to
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Writer remembers the first failure of what is written through it, so that no
// result is lost in silence whoever wrote it. It is for one goroutine at a time.
type Writer struct {
	to     io.Writer
	failed error
}

// NewWriter gives a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{to: w} }

// Write implements io.Writer; after a failure it writes nothing more.
func (w *Writer) Write(p []byte) (int, error) {
	if w.failed != nil {
		return 0, w.failed
	}
	n, err := w.to.Write(p)
	w.failed = err
	return n, err
}

// Err is the first failure.
func (w *Writer) Err() error { return w.failed }
