package arena

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/palate-art/palate/internal/atomicfile"
)

// read reads a cell that was measured before.
func (c *Contest) read(key string, into *Cell) bool {
	text, err := os.ReadFile(filepath.Join(c.config.Folder, key+".json"))
	var kept Cell
	if err != nil || json.Unmarshal(text, &kept) != nil || kept.Version != 1 || kept.Model == "" || len(kept.Predictions) == 0 {
		return false
	}
	kept.Kept, kept.Model = true, into.Model // it may have another name by now
	*into = kept
	return true
}

// write keeps a cell, whole or not at all.
func (c *Contest) write(key string, cell *Cell) error {
	if err := os.MkdirAll(c.config.Folder, 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(cell)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(c.config.Folder, key+".json"), 0o600, text)
}
