package finetune

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
)

// checkpoint writes where the training stands after an epoch.
func (f *fit) checkpoint(epoch int) error {
	f.partial = Partial{}
	if f.folder == "" {
		return nil
	}
	state, err := f.saveState(f.folder, fmt.Sprintf("epoch-%d.safetensors", epoch), epoch)
	if err != nil {
		return err
	}
	if f.best == epoch {
		f.saved = state
	}
	return f.writeCheckpoint(state)
}

// save writes where the training stands within an epoch.
func (f *fit) save() error {
	if f.folder == "" {
		return nil
	}
	state, err := f.saveState(f.folder, fmt.Sprintf("epoch-%d-step-%d.safetensors", f.partial.Epoch, f.partial.Steps), f.partial.Epoch)
	if err != nil {
		return err
	}
	return f.writeCheckpoint(state)
}

// pause writes where a training stands that is stopped, unless it has just
// been written.
func (f *fit) pause(ctx context.Context) error {
	if ctx.Err() == nil || f.partial.Steps == 0 || f.partial.Steps == f.written {
		return nil
	}
	return f.save()
}

// writeCheckpoint writes checkpoint.json and forgets states that it does not
// name.
func (f *fit) writeCheckpoint(state State) error {
	if err := f.writeJSON(f.folder, Checkpoint{Begun: f.begun, State: state, Best: f.saved, History: f.history, Partial: f.partial}); err != nil {
		return err
	}
	f.wrote, f.written = time.Now(), f.partial.Steps
	return f.forget(state.File, f.saved.File)
}

// forget removes states other than the named ones, and what a killed process
// left half written.
func (f *fit) forget(keep ...string) error {
	entries, err := os.ReadDir(f.folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		state := strings.HasPrefix(name, "epoch-") && strings.HasSuffix(name, ".safetensors")
		of, half := atomicfile.Half(name)
		half = half && (strings.HasPrefix(of, "epoch-") || of == checkpointFile)
		if !state && !half || slices.Contains(keep, name) {
			continue
		}
		if err := os.Remove(filepath.Join(f.folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// resume goes on from the checkpoint, if there is one.
func (f *fit) resume(ctx context.Context) error {
	if f.folder == "" {
		return nil
	}
	c, err := f.load(ctx, f.folder, f.begun)
	if errors.Is(err, palate.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(c.History) == 0 || c.Best.Epoch >= len(c.History) || c.Best.Epoch < 0 || c.Partial.Steps < 0 ||
		c.Partial.Epoch != 0 && c.Partial.Epoch != len(c.History) {
		return fmt.Errorf("the checkpoint in %s is damaged: begin anew in another folder: %w", f.folder, palate.ErrInvalid)
	}
	f.history, f.best, f.saved, f.partial, f.written = c.History, c.Best.Epoch, c.Best, c.Partial, c.Partial.Steps
	if c.Best == c.State {
		return nil
	}
	best, err := f.open(ctx, filepath.Join(f.folder, c.Best.File), c.Best.SHA256)
	if err != nil {
		return fmt.Errorf("the checkpoint in %s is damaged: begin anew in another folder: %w", f.folder, err)
	}
	return best.Close()
}
