package job

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/palate-art/palate/internal/catalog"
)

const (
	// howFarEvery is how often at most the log of a young job says how far it is;
	// an older one says so each time it is a tenth older.
	howFarEvery = time.Minute
	// mostUnwritten is how many lines wait to be written; of more the oldest go.
	mostUnwritten = catalog.MostRunLines
)

// Say adds a sentence to the job's log, which people read while it is at work and
// afterwards. It is written in about progressEvery, and at the end; that it can't
// be is no reason to stop the work. A Job that is nil says nothing.
func (j *Job) Say(ctx context.Context, format string, args ...any) {
	j.note(ctx, false, fmt.Sprintf(format, args...))
}

// Warn is Say of what went wrong, though the job goes on.
func (j *Job) Warn(ctx context.Context, format string, args ...any) {
	j.note(ctx, true, fmt.Sprintf(format, args...))
}

// sayAll adds what a result says of itself.
func (j *Job) sayAll(ctx context.Context, result any) {
	switch r := result.(type) {
	case interface{ Words() []string }:
		for _, text := range r.Words() {
			j.Say(ctx, "%s", text)
		}
	case interface{ Words() string }:
		j.Say(ctx, "%s", r.Words())
	}
}

func (j *Job) note(ctx context.Context, warning bool, text string) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return
	}
	j.add(catalog.RunLine{At: time.Now().UTC(), Warning: warning, Text: text})
	if j.soon == nil {
		later := context.WithoutCancel(ctx) // what was said before the work was stopped is written, too
		j.soon = time.AfterFunc(progressEvery, func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.soon = nil
			if !j.ended {
				j.writeLines(later)
			}
		})
	}
}

// add is for who holds mu.
func (j *Job) add(line catalog.RunLine) {
	if len(j.lines) == mostUnwritten {
		j.lines = j.lines[1:]
	}
	j.lines = append(j.lines, line)
}

// sayHowFar is for who holds mu.
func (j *Job) sayHowFar(now time.Time) {
	if now.Sub(j.toldHowFar) < max(howFarEvery, now.Sub(j.Run.StartedAt)/10) || j.done == 0 {
		return
	}
	j.toldHowFar = now
	text := fmt.Sprintf("%d so far.", j.done)
	if j.total > 0 {
		text = fmt.Sprintf("%d of %d so far.", j.done, j.total)
	}
	j.add(catalog.RunLine{At: now.UTC(), Text: text})
}

// writeLines is for who holds mu.
func (j *Job) writeLines(ctx context.Context) {
	if len(j.lines) > 0 && j.catalog.AddRunLines(ctx, j.Run.ID, j.lines) == nil {
		j.lines = nil
	}
}

// whoWorks says which process it is that works, as several may.
func whoWorks() string {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Sprintf("Process %d is at work on it.", os.Getpid())
	}
	return fmt.Sprintf("Process %d on %s is at work on it.", os.Getpid(), host)
}

// Logger is a logger whose records, from Info on, are lines of the job's log as
// well as of the given one's.
func (j *Job) Logger(also *slog.Logger) *slog.Logger {
	return slog.New(handler{also.Handler(), j, ""})
}

type handler struct {
	slog.Handler
	job  *Job
	with string // the attributes that each record has
}

// Enabled implements slog.Handler.
func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		text := h.with
		r.Attrs(func(a slog.Attr) bool {
			text += inWords(a)
			return true
		})
		first, size := utf8.DecodeRuneInString(r.Message)
		h.job.note(ctx, r.Level >= slog.LevelWarn, string(unicode.ToUpper(first))+r.Message[size:]+strings.Replace(text, ", ", ": ", 1)+".")
	}
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := h.with
	for _, a := range attrs {
		with += inWords(a)
	}
	return handler{h.Handler.WithAttrs(attrs), h.job, with}
}

// WithGroup implements slog.Handler. In the job's log the group is not named.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.job, h.with}
}

// inWords is an attribute as a part of a sentence.
func inWords(a slog.Attr) string {
	value := a.Value.Resolve()
	text := value.String()
	if value.Kind() == slog.KindTime {
		text = value.Time().Format(time.RFC3339)
	}
	return ", " + strings.ReplaceAll(a.Key, "_", " ") + " " + text
}
