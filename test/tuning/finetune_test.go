package tuning_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/test/program"
)

func TestFinetuneArtifactsAreWrittenForAModelByItsName(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	program.MustRun(t, "model", "add", "tiny", program.TinyModel)
	out := filepath.Join(t.TempDir(), "artifacts")
	got := program.RunPalate(t, "finetune", "artifacts", "--model", "tiny", "--size", "56", "--batch", "2", "--last-blocks", "1", "--out", out, "--json")
	if got.Code != program.ExitDone {
		t.Fatalf("got %+v", got)
	}
	var a finetune.Artifacts
	if err := json.Unmarshal([]byte(got.Out), &a); err != nil || a.Trained == 0 || a.Frozen == 0 {
		t.Fatalf("got %s (%v), want what is trained and frozen", got.Out, err)
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
		"again":        {[]string{"--model", "tiny", "--size", "56", "--out", out}, program.ExitFailed, "holds a training already"},
		"baseline":     {[]string{"--model", "baseline", "--out", out + "2"}, program.ExitUsage, "weights can be trained"},
		"fit whole":    {[]string{"--model", "tiny", "--fit", "whole", "--out", out + "2"}, program.ExitFailed, "fit crop"},
		"too many":     {[]string{"--model", "tiny", "--size", "56", "--last-blocks", "99", "--out", out + "2"}, program.ExitFailed, "last 99 blocks"},
		"no such size": {[]string{"--model", "tiny", "--size", "57", "--out", out + "2"}, program.ExitFailed, "patches"},
	} {
		if got := program.RunPalate(t, append([]string{"finetune", "artifacts"}, tt.args...)...); got.Code != tt.code || !strings.Contains(got.Err, tt.says) {
			t.Errorf("%s: got %d and %q, want %d and %q", name, got.Code, got.Err, tt.code, tt.says)
		}
	}
}
