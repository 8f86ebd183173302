package terminal

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// barInterval is how often a progress bar is drawn.
const barInterval = 100 * time.Millisecond

// LineInterval is how often a line tells of progress where there is no
// terminal.
const LineInterval = 5 * time.Second

// IsPiped reports a file that ends, unlike a terminal or nothing at all.
func IsPiped(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0
}

// Progress shows how far the named work has come; total 0 is not known.
// Where there is no terminal, a line is written at first and then every
// LineInterval.
func (t *Terminal) Progress(name, unit string, done, total int64) {
	if t.style.Quiet {
		return
	}
	if t.barName != name {
		t.EndProgress()
		t.barName = name
		if !isTerminal(t.errOut) {
			fmt.Fprintf(t.errOut, "%s …\n", name)
			t.lastLine = time.Now()
			return
		}
		if total == 0 {
			total = -1
		}
		t.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(t.errOut), progressbar.OptionSetDescription(name),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(barInterval),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	}
	if t.bar == nil {
		if now := time.Now(); now.Sub(t.lastLine) >= LineInterval {
			if !t.lastLine.IsZero() {
				fmt.Fprintln(t.errOut, progressLine(name, unit, done, total))
			}
			t.lastLine = now
		}
		return
	}
	if total > 0 && t.bar.GetMax64() != total {
		t.bar.ChangeMax64(total)
	}
	// A bar that can't be drawn is no reason to stop the work.
	_ = t.bar.Set64(done)
}

// progressLine tells how far a work has come.
func progressLine(name, unit string, done, total int64) string {
	if total <= 0 {
		return fmt.Sprintf("%s: %d %s", name, done, unit)
	}
	return fmt.Sprintf("%s: %d of %d %s", name, done, total, unit)
}

// EndProgress takes the progress away.
func (t *Terminal) EndProgress() {
	if t.bar != nil {
		_ = t.bar.Finish()
	}
	t.bar, t.barName = nil, ""
}
