package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
)

// guessedCollection is one that 643e7ab embedded by a guess: one head where the
// model has two. It gives the folder and the model's file.
func guessedCollection(t *testing.T) (data, file string) {
	t.Helper()
	data = unpacked(t, "testdata/collection-643e7ab-guessed.tar.gz")
	folder, store := t.TempDir(), t.TempDir()
	file = filepath.Join(folder, "model.safetensors")
	program.WriteFile(t, file, program.ReadFile(t, program.TinyModel))
	record := string(program.ReadFile(t, filepath.Join(data, "tiny-record.json")))
	from := strings.Index(record, `"file": "`) + len(`"file": "`)
	record = record[:from] + file + record[from+strings.Index(record[from:], `"`):]
	if err := os.MkdirAll(filepath.Join(store, "local"), 0o700); err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, filepath.Join(store, "local", "tiny.json"), []byte(record))
	t.Setenv("PALATE_MODELS", store)
	t.Setenv("PALATE_MODEL", "auto")
	return data, file
}

// A model that an earlier palate added by a guess is named by doctor and by the
// list, with what puts it right; until then, and while its pictures are embedded
// anew, what was embedded by the guess serves.
func TestAGuessOfAnEarlierPalateIsNamedAndPutRight(t *testing.T) {
	data, file := guessedCollection(t)
	want := []string{"tiny", "guessed", "--heads", "model add tiny", "--replace", "embed --upgrade"}
	r := program.RunPalate(t, "doctor", "--data", data)
	for _, words := range want {
		if !strings.Contains(r.Out+r.Err, words) {
			t.Errorf("doctor doesn't say %q: %s%s", words, r.Out, r.Err)
		}
	}
	if !strings.Contains(r.Out, "dinov3") || !strings.Contains(r.Out, "siglip") {
		t.Errorf("doctor doesn't name the families that can be read: %s", r.Out)
	}
	if list := program.MustRun(t, "model", "list", "--here", "--data", data); !strings.Contains(list, "guessed: palate model show tiny") {
		t.Errorf("list: %s", list)
	}
	before := program.JSONRun[[]scoreOf](t, "scores", "--limit", "12", "--data", data)
	if len(before) != 12 || before[0].Score < 4.354 || before[0].Score > 4.3543 {
		t.Fatalf("before: got %d scores, the first %+v, want those of the earlier palate", len(before), before)
	}
	former := collectionOf(t, data)

	program.MustRun(t, "model", "add", "tiny", file, "--replace", "--heads", "2")
	if now := program.JSONRun[[]scoreOf](t, "scores", "--limit", "12", "--data", data); len(now) != 12 || now[0] != before[0] {
		t.Errorf("put right, not upgraded: got %+v, want the former serving", now[:1])
	}
	report := program.JSONRun[collection.UpgradeReport](t, "embed", "--upgrade", "--data", data)
	if report.From != former[0].Model || report.To == report.From || report.Embedding.Embedded != 12 || report.Embedding.Copied != 0 || len(report.Trained) != 1 {
		t.Errorf("upgrade: got %+v, want 12 embedded anew and one taste learned", report)
	}
	after := collectionOf(t, data)
	if len(after) != 2 || after[0].State != collection.StateReplaced || after[1].State != collection.StateServes || after[1].Model != report.To {
		t.Errorf("after: got %+v", after)
	}
	if r := program.RunPalate(t, "doctor", "--data", data); strings.Contains(r.Out+r.Err, "an earlier palate guessed") {
		t.Errorf("doctor still names it: %s", r.Out)
	}
}
