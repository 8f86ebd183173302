package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/test/program"
)

// A guess is told as one, and what a processor says is used and printed.
func TestGuessesAreToldApart(t *testing.T) {
	t.Setenv("PALATE_MODELS", t.TempDir())
	folder := t.TempDir()
	file := filepath.Join(folder, "model.safetensors")
	program.WriteFile(t, file, program.ReadFile(t, program.TinyModel))
	program.MustFail(t, exitFailed, []string{"--heads"}, "model", "add", "mine", file)
	said := program.MustRun(t, "model", "add", "mine", file, "--heads", "2", "--mean", "0.5,0.5,0.5")
	if !strings.Contains(said, "guessed") || !strings.Contains(said, "interpolation") {
		t.Errorf("got %q, want what is guessed", said)
	}
	got := program.JSONRun[modelEntry](t, "model", "show", "mine")
	if got.Origins["heads"] != models.OriginGiven || got.Origins["mean"] != models.OriginGiven || got.Origins["std"] != models.OriginGuessed || !slices.Contains(got.Guessed, "std") {
		t.Errorf("got the origins %v and %v as guessed", got.Origins, got.Guessed)
	}
	if list := program.MustRun(t, "model", "list"); !strings.Contains(list, "guessed: activation crop") {
		t.Errorf("list: got %q", list)
	}
	program.WriteFile(t, filepath.Join(folder, "config.json"), []byte(`{"num_attention_heads": 2, "hidden_act": "gelu"}`))
	program.WriteFile(t, filepath.Join(folder, "preprocessor_config.json"), []byte(`{"image_processor_type": "ViTImageProcessor", "size": 56, "resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}`))
	program.MustRun(t, "model", "add", "mine", file, "--replace")
	got = program.JSONRun[modelEntry](t, "model", "show", "mine")
	if len(got.Guessed) != 0 || got.Origins["fit"] != models.OriginPublished {
		t.Errorf("with configurations: got %v as guessed of %v", got.Guessed, got.Origins)
	}
	if shown := program.MustRun(t, "model", "show", "mine"); !strings.Contains(shown, "56×56, bilinear, the whole picture stretched") {
		t.Errorf("show: got %q", shown)
	}
}
