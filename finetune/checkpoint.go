package finetune

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/safetensors"
)

// checkpointVersion is of checkpoint.json and what it names.
const checkpointVersion = 1

const (
	checkpointFile = "checkpoint.json"
	tensorsFile    = "checkpoint.safetensors"
)

// Checkpoint is checkpoint.json: how far a training has come.
type Checkpoint struct {
	Version int  `json:"version"`
	Plan    Plan `json:"plan"`
	// Begun is a fingerprint of what the training was begun with: model,
	// examples, settings. A checkpoint is gone on with by the same alone.
	Begun   string `json:"begun"`
	Step    int    `json:"step"`    // optimizer steps that were made
	Skipped int    `json:"skipped"` // and left out
	// State is where the training stands, Best the best state so far; they may
	// be one file.
	State State `json:"state"`
	Best  State `json:"best"`
	// History has every epoch that is complete and was judged.
	History []Epoch `json:"history"`
	// Partial is the epoch that State stands in; its Epoch is 0 between two.
	Partial Partial `json:"partial,omitzero"`
}

// Partial is an epoch that is under way.
type Partial struct {
	Epoch   int     `json:"epoch"`
	Steps   int     `json:"steps"`
	Skipped int     `json:"skipped"`
	Losses  float64 `json:"losses"` // their sum over the steps that were made
}

// State is a file of parameters and moments.
type State struct {
	Epoch  int    `json:"epoch"`
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// saveState writes the parameters and moments beside a checkpoint.
func (t *Trainer) saveState(folder, name string, epoch int) (State, error) {
	values := make([]safetensors.Values, 0, len(t.state))
	for name, tensor := range t.state {
		values = append(values, safetensors.Values{Name: name, Shape: tensor.Shape, Data: tensor.Data})
	}
	sum, err := writeWhole(filepath.Join(folder, name), func(w io.Writer) error { return safetensors.Write(w, values, nil) })
	if err != nil {
		return State{}, fmt.Errorf("checkpoint of a fine-tuning: %w", err)
	}
	return State{epoch, name, sum}, nil
}

// writeJSON writes checkpoint.json, whose states are there. A process that is
// killed leaves the former one.
func (t *Trainer) writeJSON(folder string, c Checkpoint) error {
	c.Version, c.Plan, c.Step, c.Skipped = checkpointVersion, t.plan, t.step, t.skipped
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	if _, err := writeWhole(filepath.Join(folder, checkpointFile), func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return fmt.Errorf("checkpoint of a fine-tuning: %w", err)
	}
	return nil
}

// writeWhole writes a file that is whole or the former one, and gives its
// SHA-256.
func writeWhole(path string, write func(io.Writer) error) (string, error) {
	hash := sha256.New()
	err := atomicfile.Write(path, 0o600, func(w io.Writer) error { return write(io.MultiWriter(w, hash)) })
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// load reads a checkpoint that writeJSON wrote. palate.ErrNotFound if there is
// none, palate.ErrInvalid if it is damaged, palate.ErrConflict if it is of
// another training than begun names.
func (t *Trainer) load(ctx context.Context, folder, begun string) (Checkpoint, error) {
	var c Checkpoint
	text, err := os.ReadFile(filepath.Join(folder, checkpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("no checkpoint in %s: %w", folder, palate.ErrNotFound)
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil || filepath.Base(c.State.File) != c.State.File || filepath.Base(c.Best.File) != c.Best.File || c.Version != checkpointVersion {
		return c, fmt.Errorf("%s is no checkpoint of version %d of a fine-tuning: begin anew in another folder, or remove it: %w", filepath.Join(folder, checkpointFile), checkpointVersion, palate.ErrInvalid)
	}
	c.Plan.Precision = t.plan.Precision // another is told apart by rounding alone
	if c.Begun != begun || c.Plan != t.plan {
		return c, fmt.Errorf("the checkpoint in %s is of other ratings, pictures, weights or settings than these: begin anew in another folder, or remove it: %w", folder, palate.ErrConflict)
	}
	if err = t.read(ctx, filepath.Join(folder, c.State.File), c.State.SHA256); err != nil {
		return c, fmt.Errorf("the checkpoint in %s is damaged: begin anew in another folder: %w", folder, err)
	}
	t.step, t.skipped = c.Step, c.Skipped
	return c, nil
}

// read takes all tensors from a file of the given sum.
func (t *Trainer) read(ctx context.Context, path, sum string) error {
	file, err := safetensors.OpenFile(path)
	if err != nil {
		return err
	}
	defer file.Close()
	got, err := file.SHA256(ctx)
	if err != nil {
		return err
	}
	if hex.EncodeToString(got[:]) != sum {
		return fmt.Errorf("%s is not what was written: %w", path, palate.ErrInvalid)
	}
	state := make(map[string]ort.Tensor, len(t.state))
	for name, tensor := range t.state {
		stored, found := file.Tensor(name)
		if !found || !slices.Equal(stored.Shape, tensor.Shape) {
			return fmt.Errorf("%s has no %s of shape %v: %w", path, name, tensor.Shape, palate.ErrInvalid)
		}
		values, err := file.Float32s(name)
		if err != nil {
			return err
		}
		state[name] = ort.Tensor{Shape: tensor.Shape, Data: values}
	}
	t.state = state
	return nil
}
