package program

import (
	"strings"
	"testing"
)

// MustFail runs a command that has to fail with that exit code and one line
// on standard error that contains the hints.
func MustFail(t *testing.T, code int, hints []string, args ...string) {
	t.Helper()
	MustBeOneLine(t, RunPalate(t, args...), code, hints, args...)
}

func MustBeOneLine(t *testing.T, r Result, code int, hints []string, args ...string) {
	t.Helper()
	name := "palate " + strings.Join(args, " ")
	if r.Code != code {
		t.Errorf("%s: got exit code %d, want %d: %s", name, r.Code, code, r.Err)
	}
	var messages []string
	for line := range strings.Lines(r.Err) {
		if strings.HasPrefix(line, "palate: ") {
			messages = append(messages, line)
		}
	}
	if len(messages) != 1 || !strings.HasSuffix(r.Err, messages[0]) && code != ExitUsage {
		t.Errorf("%s: got %q on standard error, want one line of palate's at its end", name, r.Err)
	}
	for _, kind := range []string{": conflict", ": invalid\n", ": unavailable", ": forbidden"} {
		if strings.Contains(r.Err, kind) {
			t.Errorf("%s: %q tells a person the kind that is meant for programs", name, r.Err)
		}
	}
	for _, hint := range hints {
		if !strings.Contains(r.Err, hint) {
			t.Errorf("%s: got %q, which does not mention %q", name, r.Err, hint)
		}
	}
	for _, noise := range []string{"goroutine ", "panic", ".go:"} {
		if strings.Contains(r.Err, noise) {
			t.Errorf("%s: got %q, which contains %q", name, r.Err, noise)
		}
	}
}
