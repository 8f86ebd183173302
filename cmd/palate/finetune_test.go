package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/finetune"
)

func TestFinetuneArtifactsAreWrittenForAModelByItsName(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	mustRun(t, "model", "add", "tiny", tinyModel)
	out := filepath.Join(t.TempDir(), "artifacts")
	got := runPalate(t, "finetune", "artifacts", "--model", "tiny", "--size", "56", "--batch", "2", "--last-blocks", "1", "--out", out, "--json")
	if got.code != exitDone {
		t.Fatalf("got %+v", got)
	}
	var a finetune.Artifacts
	if err := json.Unmarshal([]byte(got.out), &a); err != nil || a.Trained == 0 || a.Frozen == 0 {
		t.Fatalf("got %s (%v), want what is trained and frozen", got.out, err)
	}
	for _, name := range a.Files {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"again":        {[]string{"--model", "tiny", "--size", "56", "--out", out}, exitFailed, "holds a training already"},
		"baseline":     {[]string{"--model", "baseline", "--out", out + "2"}, exitUsage, "weights can be trained"},
		"fit whole":    {[]string{"--model", "tiny", "--fit", "whole", "--out", out + "2"}, exitFailed, "fit crop"},
		"too many":     {[]string{"--model", "tiny", "--size", "56", "--last-blocks", "99", "--out", out + "2"}, exitFailed, "last 99 blocks"},
		"no such size": {[]string{"--model", "tiny", "--size", "57", "--out", out + "2"}, exitFailed, "patches"},
	} {
		if got := runPalate(t, append([]string{"finetune", "artifacts"}, tt.args...)...); got.code != tt.code || !strings.Contains(got.err, tt.says) {
			t.Errorf("%s: got %d and %q, want %d and %q", name, got.code, got.err, tt.code, tt.says)
		}
	}
}
