package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/hub"
	"github.com/palate-art/palate/internal/safetensors"
)

// Tuned says what a fine-tuned model was made of.
type Tuned struct {
	// Parent is the model that was trained, by its name and the hash of its
	// weights; ParentModel is the function of it that was, and Parents those
	// that it was itself fine-tuned from, the nearest first.
	Parent       string         `json:"parent"`
	ParentSHA256 string         `json:"parent_sha256"`
	ParentModel  palate.ModelID `json:"parent_model"`
	Parents      []string       `json:"parents,omitempty"`

	Profile palate.Profile `json:"profile"` // whose ratings it was trained on
	Method  string         `json:"method"`  // full, last:N or lora:R
	// Recipe is how it was trained, as package finetune writes it.
	Recipe json.RawMessage `json:"recipe"`

	Likes        int       `json:"likes"` // trained on
	Dislikes     int       `json:"dislikes"`
	HeldLikes    int       `json:"held_likes"` // that chose the epoch
	HeldDislikes int       `json:"held_dislikes"`
	Epochs       int       `json:"epochs"` // that were made
	Best         int       `json:"best"`   // and the one that was kept
	TrainedAt    time.Time `json:"trained_at"`
}

// WriteTuned writes the weights of a model that was fine-tuned from another,
// with the settings and the preprocessing that it was trained with, and gives
// the record that AddTuned makes a model of: until then it is none. The file
// is written whole or not at all. A name that is taken is palate.ErrConflict.
func (s *Store) WriteTuned(ctx context.Context, name string, parent Weights, d embedder.Description, settings Settings, tensors []safetensors.Values, tuned Tuned) (Record, Weights, error) {
	if err := s.free(name); err != nil {
		return Record{}, Weights{}, err
	}
	path, err := filepath.Abs(s.copyOf(name, ".safetensors"))
	if err != nil {
		return Record{}, Weights{}, err
	}
	settings.Model = ""
	r := Record{Format: recordFormat, Name: name, Kind: KindSafetensors, File: path, Copied: true, Licence: parent.Licence.Name, LicenceURL: parent.Licence.URL,
		Added: time.Now().UTC().Truncate(time.Second), Tuned: &tuned, Defaults: &settings}
	for _, config := range parent.Configs {
		r.Configs = append(r.Configs, config)
	}
	said := said{Size: d.Input.Width, CropRatio: 1, Mean: &d.Mean, Std: &d.Std}
	if d.ShortSide > 0 {
		said.CropRatio = float64(d.Input.Width) / float64(d.ShortSide)
	}
	r.Configs = append(r.Configs, said.config())
	if err := writeTensors(path, tensors, parent); err != nil {
		return Record{}, Weights{}, fmt.Errorf("write model %s: %w", name, err)
	}
	info, err := os.Stat(path)
	if err == nil {
		r.Size = info.Size()
		r.SHA256, err = hub.HashFile(ctx, path)
	}
	if err == nil {
		architecture, inspected := r.weights().inspect()
		r.Architecture, r.Preprocessing, r.Origins = architecture.String(), preprocessingOf(architecture), originsOf(architecture, Addition{})
		err = errors.Join(inspected, r.validate(name))
	}
	if err != nil {
		return Record{}, Weights{}, errors.Join(fmt.Errorf("write model %s: %w", name, err), os.Remove(path))
	}
	return r, r.weights(), nil
}

// free refuses a name that can't be given.
func (s *Store) free(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	_, err := s.Local(name)
	if err == nil {
		return fmt.Errorf("a model %s was added before; remove it first, or choose another name: %w", name, palate.ErrConflict)
	}
	if errors.Is(err, palate.ErrNotFound) {
		return nil
	}
	return err
}

// AddTuned makes a model of what WriteTuned wrote.
func (s *Store) AddTuned(r Record) error { return s.write("local", r.Name, r) }

// writeTensors writes a file beside its place and moves it there when it is
// whole.
func writeTensors(path string, tensors []safetensors.Values, parent Weights) error {
	return replace(path, func(w io.Writer) error {
		about := map[string]string{"format": "pt", "base_model": parent.Name}
		if parent.Licence.Name != "" {
			about["license"] = parent.Licence.Text() // what is made of weights stays under their licence
		}
		return safetensors.Write(w, tensors, about)
	})
}

// replace writes a file whole or not at all, in a folder that is made for it.
func replace(path string, write func(io.Writer) error) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return &FolderError{folder, err}
	}
	return atomicfile.Write(path, 0o644, write)
}

// Tuned says what a model was fine-tuned from; one that was not, or is none
// that was added, is palate.ErrNotFound.
func (s *Store) Tuned(name string) (Tuned, error) {
	r, err := s.Local(name)
	if err != nil {
		return Tuned{}, err
	}
	if r.Tuned == nil {
		return Tuned{}, fmt.Errorf("model %s was not fine-tuned here: %w", name, palate.ErrNotFound)
	}
	return *r.Tuned, nil
}
