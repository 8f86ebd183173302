package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/test/program"
)

// Stars are kept beside the verdict, and undo says of which picture it was and
// what is since, after clear too.
func TestRateTakesStarsAndUndoReversesAClear(t *testing.T) {
	home, folder := filepath.Join(t.TempDir(), "data"), t.TempDir()
	for i, name := range []string{"a.png", "b.png"} {
		program.WriteFile(t, filepath.Join(folder, name), program.MuseumPicture(t, i))
	}
	at := []string{"--data", home}
	program.MustRun(t, append([]string{"import", folder}, at...)...)
	for _, step := range []struct {
		args string
		want []string // of what is said
	}{
		{"rate --stars 5 a.png b.png", []string{idOf(t, 0) + ": like, 5 stars", idOf(t, 1) + ": like, 5 stars"}},
		{"rate dislike --stars 1 b.png", []string{idOf(t, 1) + ": dislike, 1 star"}},
		{"rate clear a.png", []string{idOf(t, 0) + ": unrated"}},
		{"rate undo", []string{idOf(t, 0), "(a)", "taking back undone; now like, 5 stars"}},
		{"rate undo", []string{idOf(t, 1), "(b)", "dislike undone; now like, 5 stars"}},
		{"rate undo", []string{idOf(t, 1), "like undone; now unrated"}},
		{"export -", []string{`"verdict":"like","stars":5`}},
	} {
		out := program.MustRun(t, append(strings.Fields(step.args), at...)...)
		for _, want := range step.want {
			if !strings.Contains(out, want) {
				t.Errorf("palate %s: got %q, want %q in it", step.args, out, want)
			}
		}
	}
	if got := verdicts(t, home, "me"); len(got) != 1 || got[idOf(t, 0)] != palate.Like {
		t.Errorf("got %v, want the like of the first", got)
	}
}
