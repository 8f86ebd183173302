package job_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/job"
)

// logOf is the log of a job, warnings with a mark.
func logOf(t *testing.T, c catalog.Runs, id int64) (lines []string) {
	t.Helper()
	log, err := c.RunLog(t.Context(), id, 0, 1000)
	must(t, err)
	for _, l := range log {
		mark := ""
		if l.Warning {
			mark = "! "
		}
		if age := time.Since(l.At); age < 0 || age > time.Minute {
			t.Errorf("line %d is of %v", l.Number, l.At)
		}
		lines = append(lines, mark+l.Text)
	}
	return lines
}

func TestTheLogOfAJobIsReadWhileItWorksAndAfterwards(t *testing.T) {
	c, other := twice(t)
	var written bytes.Buffer
	kept := slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelWarn}))
	_, err := job.Do(t.Context(), c, job.Crawl, "", func(ctx context.Context, j *job.Job) (int, error) {
		j.Say(ctx, "It reads %d sites.", 2)
		logger := j.Logger(kept).With("crawl", "vedute")
		logger.Debug("too small to tell")
		logger.Info("visit postponed", "attempt", 2, "not_before", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		logger.Warn("site gives nothing")
		for deadline := time.Now().Add(time.Minute); len(logOf(t, other, j.Run.ID)) < 4; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log is not written while the job is at work: %q", logOf(t, other, j.Run.ID))
			}
		}
		j.Warn(ctx, "It is the last.") // which nothing follows that would write it
		return 0, errors.New("the disk is full")
	})
	if err == nil {
		t.Fatal("got no error")
	}
	lines := logOf(t, other, 1)
	if len(lines) == 0 || !regexp.MustCompile(`^Process \d+ on .* is at work on it\.$`).MatchString(lines[0]) {
		t.Fatalf("got the lines %q, want first who works", lines)
	}
	want := []string{
		"It reads 2 sites.",
		"Visit postponed: crawl vedute, attempt 2, not before 2026-01-02T03:04:05Z.",
		"! Site gives nothing: crawl vedute.",
		"! It is the last.",
		"! It failed: the disk is full",
	}
	if got := lines[1:]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := runOf(t, other, 1).Lines; got != 6 {
		t.Errorf("counted are %d lines, want 6", got)
	}
	if got := written.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "site gives nothing") {
		t.Errorf("the other logger got %q, want the warning alone, as it is set", got)
	}
}

func TestTheLogTellsHowAJobEnded(t *testing.T) {
	c, other := twice(t)
	must(t, errors.Join(end(t, c, catalog.Succeeded, nil), end(t, c, catalog.Cancelled, errors.New("the server stopped"))))
	for id, want := range map[int64]string{1: "It is done.", 2: "It ended before it was done: the server stopped"} {
		if got := logOf(t, other, id); len(got) != 1 || got[0] != want {
			t.Errorf("job %d: got %q, want %q", id, got, want)
		}
	}
	var none *job.Job
	none.Say(t.Context(), "a backup of what can't be written has no job")
}

func end(t *testing.T, c *sqlite.Catalog, state catalog.RunState, reason error) error {
	t.Helper()
	j, err := job.Begin(t.Context(), c, job.Verify, "")
	must(t, err)
	err = j.End(t.Context(), state, nil, reason)
	j.Say(t.Context(), "too late")
	return err
}

// However much is said, it costs few writes, and the newest is kept.
func TestAWordyJobIsBounded(t *testing.T) {
	c, other := twice(t)
	const said = 3 * catalog.MostRunLines
	_, err := job.Do(t.Context(), c, job.Embed, "", func(ctx context.Context, j *job.Job) (int, error) {
		begun, err := c.LastChange(ctx)
		must(t, err)
		for n := range said {
			j.Say(ctx, "line %d", n)
		}
		last, err := c.LastChange(ctx)
		if err != nil || last-begun > said/10 {
			t.Errorf("%d changes for %d lines, %v", last-begun, said, err)
		}
		return 0, nil
	})
	must(t, err)
	lines := logOf(t, other, 1)
	if len(lines) < catalog.MostRunLines/2 || len(lines) > catalog.MostRunLines || lines[len(lines)-2] != fmt.Sprintf("line %d", said-1) {
		t.Errorf("got %d lines, the last %q", len(lines), lines[max(0, len(lines)-2):])
	}
}
