package arena

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
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
	f, err := os.CreateTemp(c.config.Folder, key+".*.new")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.config.Folder, key+".json"))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
