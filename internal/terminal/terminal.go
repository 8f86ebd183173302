package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	"github.com/schollz/progressbar/v3"
)

// Terminal is one command's output. It is for one goroutine at a time.
type Terminal struct {
	out, errOut io.Writer
	style       Style
	outColour   bool // what stands out on out may

	bar      *progressbar.ProgressBar
	barName  string
	lastLine time.Time // when progress was last written where there is no terminal
}

// Style says for whom the output is.
type Style struct {
	JSON  bool // results are JSON, one value a line
	Quiet bool // no notes and no progress
}

// New writes results to out, and notes and progress to errOut.
func New(out, errOut io.Writer, style Style) *Terminal {
	return &Terminal{out: out, errOut: errOut, style: style, outColour: coloured(out) && !style.JSON}
}

// Out is where results go, for whoever writes them byte by byte.
func (t *Terminal) Out() io.Writer { return t.out }

// Print writes one JSON value and a line break.
func (t *Terminal) Print(value any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// Say writes a line for people; programs that asked for JSON do not see it.
func (t *Terminal) Say(format string, args ...any) {
	if !t.style.JSON {
		fmt.Fprintf(t.out, format+"\n", args...)
	}
}

// SayAll is Say for lines.
func (t *Terminal) SayAll(lines []string) {
	for _, line := range lines {
		t.Say("%s", line)
	}
}

// Show prints a result: its value to programs, what say says to people.
func (t *Terminal) Show(value any, say func()) error {
	if t.style.JSON {
		return t.Print(value)
	}
	say()
	return nil
}

// Done is Show where one line says it.
func (t *Terminal) Done(value any, format string, args ...any) error {
	return t.Show(value, func() { t.Say(format, args...) })
}

// List prints values: as one JSON array to programs, to people as a table with
// a row for each. Where there are none, people read the sentence none if there is
// one, or else the header alone.
func List[T any](t *Terminal, values []T, none string, header []string, row func(T) []string) error {
	if values == nil {
		values = []T{} // null is no list
	}
	return t.Show(values, func() { Rows(t, values, none, header, row) })
}

// Rows is what List shows to people.
func Rows[T any](t *Terminal, values []T, none string, header []string, row func(T) []string) {
	if len(values) == 0 && none != "" {
		t.Say("%s", none)
		return
	}
	rows := [][]string{header}
	for _, value := range values {
		rows = append(rows, row(value))
	}
	t.Table(rows...)
}

// Table writes rows in columns as wide as their widest cell on a terminal,
// where some characters take two places; the first row is the header.
func (t *Terminal) Table(rows ...[]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell)+2))
		}
		fmt.Fprintln(t.out, standing(n == 0 && t.outColour, bold, strings.TrimRight(line.String(), " ")))
	}
}

// Notef writes a line beside the results and the progress.
func (t *Terminal) Notef(format string, args ...any) {
	t.Note(fmt.Sprintf(format, args...), false)
}

// Note writes a line beside the results and the progress. What insists is
// written even to who wants to hear nothing else.
func (t *Terminal) Note(text string, insist bool) {
	if insist || !t.style.Quiet {
		t.EndProgress()
		fmt.Fprintln(t.errOut, text)
	}
}
