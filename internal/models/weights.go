package models

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/hub"
)

// Weights are those of a model, with what is known of it, whose file is on this machine.
type Weights struct {
	Name    string
	Kind    string // KindSafetensors or KindONNX
	File    string
	Size    int64
	SHA256  string // what the file must have; empty if nobody knows
	Licence Licence

	Configs [][]byte // of a .safetensors file, see Record
	// FormerConfigs, if not nil, are those that rules without AsPublished go by.
	FormerConfigs [][]byte
	Description   *embedder.Description // of an .onnx file

	// Defaults are what settings leave open; of most models nothing.
	Defaults Settings
	Tuned    *Tuned // of a model that was fine-tuned here
}

// Find gives a model by its name, from what was added and what is in the
// hub's cache; nothing is downloaded. A name that is known but not there is a
// *NotPulledError; any other is palate.ErrNotFound.
func (s *Store) Find(name string, client *hub.Client) (Weights, error) {
	r, err := s.Local(name)
	if err == nil {
		return r.weights(), nil
	}
	if !errors.Is(err, palate.ErrNotFound) {
		return Weights{}, err
	}
	if o, offered := OfferNamed(name); offered {
		return Weights{}, &NotPulledError{o.Name, err}
	}
	k, err := KnownModel(name)
	if err != nil {
		return Weights{}, fmt.Errorf("%w; add one of your own with: palate model add %s FILE", err, name)
	}
	file, err := s.Pinned(k)
	if err != nil {
		return Weights{}, err
	}
	local, err := client.Find(file)
	if errors.Is(err, palate.ErrNotFound) {
		return Weights{}, &NotPulledError{k.Name, err}
	}
	if err != nil {
		return Weights{}, err
	}
	return k.weights(local, file), nil
}

func (r Record) weights() Weights {
	weights := Weights{Name: r.Name, Kind: r.Kind, File: r.File, Size: r.Size, SHA256: r.SHA256, Licence: Licence{Name: r.Licence, URL: r.LicenceURL},
		Description: r.Description, Tuned: r.Tuned}
	if r.Defaults != nil {
		weights.Defaults = *r.Defaults
	}
	for _, config := range r.Configs {
		weights.Configs = append(weights.Configs, config)
	}
	for _, config := range r.FormerConfigs {
		weights.FormerConfigs = append(weights.FormerConfigs, config)
	}
	return weights
}

// weights is a known model in the cache; file says what is known of it.
func (k Known) weights(local hub.Local, file hub.File) Weights {
	architecture, modelType := k.kind()
	weights := Weights{Name: k.Name, Kind: KindSafetensors, File: local.Path, Size: local.Size, SHA256: file.SHA256, Licence: k.Licence,
		Configs: [][]byte{k.Preprocessing.config(k.Heads, architecture, modelType)}}
	if weights.SHA256 == "" {
		weights.SHA256 = local.SHA256
	}
	return weights
}

// NotPulledError says that a known model's weights are not on this machine.
// It is palate.ErrNotFound.
type NotPulledError struct {
	Model string
	cause error
}

// Error says what to do.
func (e *NotPulledError) Error() string {
	return fmt.Sprintf("the weights of %s are not here (%v); get them with: palate model pull %s", e.Model, e.cause, e.Model)
}

// Unwrap gives the kind and the cause.
func (e *NotPulledError) Unwrap() error { return e.cause }

// Pinned is the model's file on the hub with all that is known of it: where no
// hash was published, the one of the bytes that came first.
func (s *Store) Pinned(k Known) (hub.File, error) {
	a, known, err := s.HubRecord(k.Name)
	if err != nil {
		return hub.File{}, err
	}
	file := k.File
	if file.SHA256 == "" && known && a.Revision == file.Revision {
		file.SHA256, file.Size = a.SHA256, a.Size
	}
	return file, nil
}

// Pull downloads a known model, unless it is in the hub's cache, and holds it
// against what is known of it: the pinned hash, else the one that came at the
// first time. The errors are those of hub.Client.Fetch.
func (s *Store) Pull(ctx context.Context, k Known, client *hub.Client) (Weights, error) {
	file, err := s.Pinned(k)
	if err != nil {
		return Weights{}, err
	}
	local, err := client.Fetch(ctx, file)
	if err != nil {
		return Weights{}, err
	}
	return k.weights(local, file), nil
}

// RecordHub remembers that a model's licence was shown, and which bytes came.
func (s *Store) RecordHub(k Known, weights Weights) error {
	now := HubRecord{Format: recordFormat, Name: k.Name, LicenceShown: k.Licence.Name, ShownAt: time.Now().UTC().Truncate(time.Second),
		Revision: k.File.Revision, Size: weights.Size, SHA256: weights.SHA256}
	before, known, err := s.HubRecord(k.Name)
	if err != nil {
		return err
	}
	before.ShownAt = now.ShownAt
	if known && before == now {
		return nil
	}
	return s.write("hub", k.Name, now)
}

// Check reads the model's file, holds it against its size and hash, and gives
// its SHA-256 in hexadecimal. A file that is gone is palate.ErrNotFound,
// another file palate.ErrInvalid.
func (m Weights) Check(ctx context.Context) (string, error) {
	info, err := os.Stat(m.File)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("model %s: %s is gone: %w", m.Name, m.File, palate.ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("model %s: %w", m.Name, err)
	}
	if m.Size != 0 && info.Size() != m.Size && !isIndex(m.File) {
		return "", fmt.Errorf("model %s: %s has %d bytes, want %d: it is damaged or another file: %w", m.Name, m.File, info.Size(), m.Size, palate.ErrInvalid)
	}
	_, sum, err := hashModel(ctx, m.File)
	if err != nil {
		return "", fmt.Errorf("model %s: %w", m.Name, err)
	}
	if m.SHA256 != "" && sum != m.SHA256 {
		return "", fmt.Errorf("model %s: %w", m.Name, m.damaged(sum))
	}
	return sum, nil
}

func (m Weights) damaged(sum string) error {
	return fmt.Errorf("%s has SHA-256 %s, want %s: it is damaged or another file: %w", m.File, sum, m.SHA256, palate.ErrInvalid)
}
