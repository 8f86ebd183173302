package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

var update = flag.Bool("update", false, "write what palate prints into README.md")

// sessionInReadme is the part of README.md that shows a session.
var sessionInReadme = regexp.MustCompile("(?s)(## From nothing to a sorted folder\n.*?```console\n)(.*?)(```)")

// inNumbersAlone matches what may differ from one machine to another.
var inNumbersAlone = regexp.MustCompile(`[0-9]+(\.[0-9]+)?|\b(liked|disliked|unsure)\b`)

// learned is what is said of a training, which hangs on those numbers.
var learned = regexp.MustCompile(`(?s)BALANCED ACCURACY.*?It serves`)

// drawSession makes the folders of the session: three styles are liked.
func drawSession(t *testing.T) {
	t.Helper()
	m, err := program.DrawOnce()
	if err != nil {
		t.Fatal(err)
	}
	liked := map[museum.Style]bool{}
	var good, bad, holiday int
	for i, work := range m.Works() {
		if _, known := liked[work.Style]; !known {
			liked[work.Style] = len(liked) < 3
		}
		name := ""
		switch {
		case liked[work.Style] && good < 12:
			good++
			name = fmt.Sprintf("art/good/%02d", good)
		case !liked[work.Style] && bad < 24:
			bad++
			name = fmt.Sprintf("art/bad/%02d", bad)
		case holiday < 16:
			holiday++
			name = fmt.Sprintf("holiday/%02d", holiday)
		default:
			return
		}
		content, err := m.File(i)
		if err != nil {
			t.Fatal(err)
		}
		program.WriteFile(t, filepath.FromSlash(name)+".jpg", content)
	}
	t.Fatalf("the museum has only %d likes, %d dislikes and %d others", good, bad, holiday)
}

// The session in README.md is run, from nothing to a sorted folder: what it shows
// is what palate prints, but for numbers and for what is said of a training.
func TestTheSessionInReadme(t *testing.T) {
	race.Long(t)
	readme := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if readme, err = filepath.Abs(readme); err != nil {
		t.Fatal(err)
	}
	shown := sessionInReadme.FindSubmatch(text)
	if shown == nil {
		t.Fatal("README.md shows no session")
	}
	home := t.TempDir()
	t.Chdir(home)
	here, err := os.Getwd() // as palate sees it
	if err != nil {
		t.Fatal(err)
	}
	drawSession(t)
	t.Setenv("PALATE_DATA", filepath.Join(home, "collection"))
	t.Setenv("PALATE_MODEL", "baseline")
	var got strings.Builder
	for line := range strings.Lines(string(shown[2])) {
		command, is := strings.CutPrefix(strings.TrimSpace(line), "$ palate ")
		if !is {
			continue
		}
		fmt.Fprintf(&got, "$ palate %s\n%s", command, strings.ReplaceAll(program.MustRun(t, strings.Fields(command)...), here, "/home/you"))
	}
	var sorted int
	for _, pile := range []string{"liked", "disliked", "unsure"} {
		files, _ := filepath.Glob(filepath.Join("holiday", pile, "*.jpg"))
		sorted += len(files)
	}
	if disliked, _ := filepath.Glob(filepath.Join("holiday", "disliked", "*.jpg")); sorted != 16 || len(disliked) == 0 || len(disliked) == sorted {
		t.Errorf("%d pictures are sorted, %d of them disliked, want 16, and some of both kinds", sorted, len(disliked))
	}
	if *update {
		at := sessionInReadme.FindSubmatchIndex(text)
		program.WriteFile(t, readme, []byte(string(text[:at[4]])+got.String()+string(text[at[5]:])))
		return
	}
	plain := func(s string) string {
		return strings.Join(strings.Fields(inNumbersAlone.ReplaceAllString(learned.ReplaceAllString(s, "…"), "#")), " ")
	}
	if plain(got.String()) != plain(string(shown[2])) {
		t.Errorf("palate prints\n%s\nREADME.md shows\n%s\n(go test ./cmd/palate -run TheSessionInReadme -update writes it anew)", got.String(), shown[2])
	}
}

// Every command that README.md names is one.
func TestCommandsInReadmeExist(t *testing.T) {
	race.Long(t)
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	first := regexp.MustCompile("(?m)(?:`|^|\\$ |\"|# )palate ([a-z]+)").FindAllStringSubmatch(string(text), -1)
	if len(first) < 30 {
		t.Fatalf("got %d commands", len(first))
	}
	for _, match := range first {
		if match[1] == "learns" || match[1] == "help" {
			continue
		}
		if r := program.RunPalate(t, match[1], "--help"); r.Code != exitDone {
			t.Errorf("README.md names palate %s: %s", match[1], r.Err)
		}
	}
}
