package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/palate-art/palate/internal/grammar"
	"github.com/palate-art/palate/internal/manual"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// everyCommand calls do with every command and the names that lead to it.
func everyCommand(t *testing.T, do func(path string, c manual.Command)) {
	t.Helper()
	g, err := grammar.New(new(commands), grammar.Config{Name: "palate", Out: new(bytes.Buffer), ErrOut: new(bytes.Buffer), Vars: grammarVars()})
	if err != nil {
		t.Fatal(err)
	}
	var visit func(path string, c manual.Command)
	visit = func(path string, c manual.Command) {
		do(path, c)
		for _, below := range c.Commands {
			visit(strings.TrimSpace(path+" "+below.Name), below)
		}
	}
	visit("", g.Describe())
}

// bothWays are names that take a value in one command and none in another, as
// scripts have them by now. There shall be no more of them.
var bothWays = map[string]bool{"keep": true, "weights": true, "drop-path": true}

// A letter stands for one flag in all commands, and a flag of one name takes a
// value or takes none in all of them, of the same words.
func TestAFlagMeansOneThing(t *testing.T) {
	letters, kinds := map[rune]string{}, map[string]string{}
	everyCommand(t, func(path string, c manual.Command) {
		for _, f := range c.Flags {
			if before, taken := letters[f.Short]; f.Short != 0 && taken && before != f.Name {
				t.Errorf("palate %s: -%c is --%s, elsewhere --%s", path, f.Short, f.Name, before)
			}
			letters[f.Short] = f.Name
			if f.Name == "limit" && f.Short != 'n' {
				t.Errorf("palate %s: --limit has no -n", path)
			}
			kind := "takes a value"
			if f.Value == "" {
				kind = "takes none"
			}
			if before, taken := kinds[f.Name]; taken && before != kind && !bothWays[f.Name] {
				t.Errorf("palate %s: --%s %s, elsewhere it %s", path, f.Name, kind, before)
			}
			kinds[f.Name] = kind
		}
	})
	t.Setenv("PALATE_THRESHOLD", "precision:0.9")
	if r := program.RunPalate(t, "sort", "--data", program.EmptyHome(t), t.TempDir()); strings.Contains(r.Err, "THRESHOLD") || strings.Contains(r.Err, "threshold") {
		t.Errorf("sort hears train's threshold: %s", r.Err)
	}
}

func TestOwnFlagsComeFirst(t *testing.T) {
	for command, own := range map[string]string{"sort": "--liked-from", "train": "--thorough", "crawl": "--max-pages", "images list": "--damaged"} {
		out := program.MustRun(t, append(strings.Fields(command), "--help")...)
		if mine, all := strings.Index(out, own), strings.Index(out, "--index="); mine < 0 || all < mine || strings.Count(out, "--index=") != 1 {
			t.Errorf("palate %s --help has %s at %d and --index, once, at %d", command, own, mine, all)
		}
	}
}

// What is wrong with a configuration file is told with its name and the key,
// wherever it is noticed, and what the environment says with its variable.
func TestWhereAValueComesFromIsTold(t *testing.T) {
	file, home := filepath.Join(t.TempDir(), "settings.json"), program.EmptyHome(t)
	for _, tt := range []struct {
		key     string
		value   any
		command []string
	}{
		{"limit", "many", []string{"scores"}},
		{"limit", 0, []string{"scores"}},
		{"how", "burn", []string{"sort", t.TempDir()}},
		{"liked_from", 7, []string{"sort", t.TempDir()}},
		{"profile", "Me & You", []string{"scores"}},
		{"decode-memory", 1, []string{"scores"}},
	} {
		content, err := json.Marshal(map[string]any{tt.key: tt.value})
		if err != nil {
			t.Fatal(err)
		}
		program.WriteFile(t, file, content)
		r := program.RunPalate(t, append(tt.command, "--data", home, "--config", file)...)
		if key := strings.ReplaceAll(tt.key, "_", "-"); r.Code != exitUsage || !strings.Contains(r.Err, file) || !strings.Contains(r.Err, key) || strings.Contains(r.Err, "--help") {
			t.Errorf("%s: got exit code %d and %s", content, r.Code, r.Err)
		}
	}
	t.Setenv("PALATE_LIMIT", "0")
	if r := program.RunPalate(t, "scores", "--data", home); r.Code != exitUsage || !strings.Contains(r.Err, "PALATE_LIMIT") {
		t.Errorf("got %s", r.Err)
	}
}

// full is a standard output that can't be written to.
type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

func TestAResultThatIsNotWrittenIsAFailure(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"version"}, {"version", "--json"}, {"manual"}, {"completion", "bash"}, {"model", "list", "--offline"}} {
		for err, silent := range map[error]bool{syscall.ENOSPC: false, syscall.EPIPE: true} {
			var errOut bytes.Buffer
			code := run(context.Background(), args, full{err}, &errOut)
			if code != exitFailed || (errOut.Len() == 0) != silent {
				t.Errorf("palate %v, %v: got exit code %d and %q", args, err, code, errOut.String())
			}
		}
	}
}

// internals are what programs ask for and no person should read.
var internals = regexp.MustCompile(`(?m): (conflict|invalid|unavailable|forbidden|unauthenticated)$|\b[Nn]o .*: not found( \(|$)|catalog: |sqlite: |ingest: |%!|0x[0-9a-f]{6}|<nil>|\bEOF\b`)

// Every command is asked for what it can't do, in vain and where there is no
// collection: it answers in plain sentences.
func TestNoCommandShowsItsInternals(t *testing.T) {
	race.Long(t)
	t.Chdir(t.TempDir()) // some take the name for a folder to write to
	none, empty := filepath.Join(t.TempDir(), "none"), program.EmptyHome(t)
	words := filepath.Join(t.TempDir(), "words.jpg")
	program.WriteFile(t, words, []byte("words"))
	waits := map[string]bool{"serve": true, "museum": true, "demo": true, "health": true}
	nowhere := "00000000-0000-8000-8000-000000000000"
	count := 0
	everyCommand(t, func(path string, c manual.Command) {
		if path == "" || len(c.Commands) > 0 || waits[path] || strings.HasPrefix(path, "finetune") || path == "model pull" || path == "model add" {
			return
		}
		numbers := map[string][]string{"probe compare": {"1", "2"}, "jobs stop": {"99"}, "probe show": {"99"}, "probe rollback": {"99"}, "import report": {"99"}, "rate": {"like", nowhere}}
		given := numbers[path]
		if given == nil && c.Argument != "" {
			given = slices.Repeat([]string{nowhere}, 1+strings.Count(strings.ReplaceAll(c.Argument, " ...", ""), " "))
		}
		lines := [][]string{append(given, "--data", empty)}
		if c.Argument != "" {
			lines = append(lines, append([]string{words}, "--data", empty), append(given, "--data", none))
		}
		for _, arguments := range lines {
			args := append(append(strings.Fields(path), arguments...), "--quiet", "--offline", "--model", "baseline")
			r := program.RunPalate(t, args...)
			count++
			if found := internals.FindString(r.Err); found != "" || r.Code != exitDone && strings.TrimSpace(r.Err) == "" {
				t.Errorf("palate %s: exit code %d, %q in\n%s", strings.Join(args, " "), r.Code, found, r.Err)
			}
		}
	})
	if count < 80 {
		t.Errorf("got %d command lines", count)
	}
}
