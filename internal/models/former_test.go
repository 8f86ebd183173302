package models_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/vit"
)

// A record of an earlier palate, which guessed one head for 64 values, is
// built as it was by the former rules and refused by the present ones; put
// right, it is both.
func TestAFormerGuessGoesOnUntilItIsPutRight(t *testing.T) {
	store := models.OpenStore(t.TempDir())
	folder := t.TempDir()
	file := filepath.Join(folder, "model.safetensors")
	weights, err := os.ReadFile(tiny)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, weights, 0o600); err != nil {
		t.Fatal(err)
	}
	added, err := store.Add(t.Context(), models.Addition{Name: "mine", File: file, Heads: 2})
	if err != nil {
		t.Fatal(err)
	}
	if added.Origins["heads"] != models.OriginGiven || added.Origins["mean"] != models.OriginGuessed {
		t.Errorf("got the origins %v", added.Origins)
	}
	added.Configs, added.Origins = nil, nil // as an earlier palate wrote it
	text, err := json.Marshal(added)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(store.Folder(), "local", "mine.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(rules picture.Rules) (palate.ModelID, error) {
		t.Helper()
		found, err := store.Find("mine", client(t))
		if err != nil {
			t.Fatal(err)
		}
		built, err := found.Build(t.Context(), models.Settings{Rules: rules}, models.Target{Precision: vit.Float32, Device: ort.DeviceCPU})
		return built.Description.Identity, err
	}
	former, err := build(picture.Former)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := build(picture.Current()); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "--heads") {
		t.Errorf("by the present rules: got %v, want a refusal that names --heads", err)
	}
	record, err := store.Local("mine")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.Guesses(); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("the guesses of a former record: got %v, want that it would be refused", err)
	}
	if _, err := store.Add(t.Context(), models.Addition{Name: "mine", File: file, Heads: 2, Replace: true}); err != nil {
		t.Fatal(err)
	}
	if record, err = store.Local("mine"); err != nil {
		t.Fatal(err)
	}
	if guessed, err := record.Guesses(); err != nil || slices.Contains(guessed, "heads") {
		t.Errorf("put right: got %v, %v", guessed, err)
	}
	if again, err := build(picture.Former); err != nil || again != former {
		t.Errorf("put right, by the former rules: got %s, %v, want what it was, %s", again, err, former)
	}
	if now, err := build(picture.Current()); err != nil || now == former {
		t.Errorf("put right, by the present rules: got %s, %v", now, err)
	}
}
