package tuning

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/models"
)

const (
	keptVersion = 1
	keptFile    = "training.json"
	// maxKept bounds what is read of it: a million ratings have 100 MB.
	maxKept = 1 << 30
)

// kept is training.json: what a training was begun with.
type kept struct {
	Version  int             `json:"version"`
	Profile  palate.Profile  `json:"profile"`
	Model    palate.ModelID  `json:"model"` // the parent's function
	Settings models.Settings `json:"settings"`
	Recipe   Recipe          `json:"recipe"`
	Examples []example       `json:"examples"`
	// Head is that of the probe, learned on what is trained on.
	Head finetune.Head `json:"head"`
	// Unreadable is how many rated pictures could not be read.
	Unreadable int `json:"unreadable"`
}

// example is a rated picture and its place.
type example struct {
	rated
	Held   bool    `json:"held"`
	Weight float64 `json:"weight"`
}

// readKept reads training.json. palate.ErrNotFound without one,
// palate.ErrInvalid if it is damaged.
func readKept(folder string) (*kept, error) {
	path := filepath.Join(folder, keptFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no training in %s: %w", folder, palate.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	k := new(kept)
	if len(text) > maxKept || json.Unmarshal(text, k) != nil || k.Version != keptVersion || len(k.Examples) == 0 || len(k.Head.Weights) == 0 {
		return nil, fmt.Errorf("%s is no training of version %d: remove the folder %s to begin anew: %w", path, keptVersion, folder, palate.ErrInvalid)
	}
	return k, nil
}

// write writes training.json whole or not at all.
func (k *kept) write(folder string) error {
	k.Version = keptVersion
	text, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(folder, keptFile), 0o600, text)
}
