package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	"github.com/schollz/progressbar/v3"

	"github.com/palate-art/palate/internal/picture"
)

// barInterval is how often a progress bar is drawn.
const barInterval = 100 * time.Millisecond

// lineInterval is how often a line tells of progress where there is no
// terminal.
const lineInterval = 5 * time.Second

// session is what a command needs to talk to whoever called it: results on
// out, progress and logs on errOut.
type session struct {
	*globals
	out, errOut io.Writer
	logger      *slog.Logger
	decoding    *picture.Budget // of everything that is decoded in this process
	temporary   bool            // what is made goes when the command ends

	bar      *progressbar.ProgressBar
	barName  string
	lastLine time.Time // when progress was last written where there is no terminal
}

func newSession(g *globals, out, errOut io.Writer) *session {
	level := slog.LevelWarn
	if g.Verbose {
		level = slog.LevelInfo
	}
	return &session{globals: g, out: out, errOut: errOut, decoding: picture.NewDefaultBudget(),
		logger: slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level}))}
}

// print writes one JSON value and a line break.
func (s *session) print(value any) error {
	encoder := json.NewEncoder(s.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// say writes a line for people; programs that asked for JSON do not see it.
func (s *session) say(format string, args ...any) {
	if !s.JSON {
		fmt.Fprintf(s.out, format+"\n", args...)
	}
}

// note writes a line beside the progress.
func (s *session) note(format string, args ...any) {
	if !s.Quiet {
		s.finishProgress()
		fmt.Fprintf(s.errOut, format+"\n", args...)
	}
}

// table writes rows in columns as wide as their widest cell on a terminal,
// where some characters take two places; the first row is the header.
func (s *session) table(rows ...[]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell)+2))
		}
		fmt.Fprintln(s.out, strings.TrimRight(line.String(), " "))
	}
}

// isTerminal reports whether w is a terminal, where a bar can be redrawn.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress shows how far the named work has come; total 0 is not known.
// Where standard error is no terminal, a line is written at first and then
// every lineInterval.
func (s *session) progress(name, unit string, done, total int64) {
	if s.Quiet {
		return
	}
	if s.barName != name {
		s.finishProgress()
		s.barName = name
		if !isTerminal(s.errOut) {
			fmt.Fprintf(s.errOut, "%s …\n", name)
			s.lastLine = time.Now()
			return
		}
		if total == 0 {
			total = -1
		}
		s.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(s.errOut), progressbar.OptionSetDescription(name),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(barInterval),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	}
	if s.bar == nil {
		if now := time.Now(); now.Sub(s.lastLine) >= lineInterval {
			if !s.lastLine.IsZero() {
				fmt.Fprintln(s.errOut, progressLine(name, unit, done, total))
			}
			s.lastLine = now
		}
		return
	}
	if total > 0 && s.bar.GetMax64() != total {
		s.bar.ChangeMax64(total)
	}
	// A bar that can't be drawn is no reason to stop the work.
	_ = s.bar.Set64(done)
}

// progressLine tells how far a work has come.
func progressLine(name, unit string, done, total int64) string {
	if total <= 0 {
		return fmt.Sprintf("%s: %d %s", name, done, unit)
	}
	return fmt.Sprintf("%s: %d of %d %s", name, done, total, unit)
}

func (s *session) finishProgress() {
	if s.bar != nil {
		_ = s.bar.Finish()
	}
	s.bar, s.barName = nil, ""
}

// shorten cuts a text to n characters for a table's column.
func shorten(text string, n int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}
