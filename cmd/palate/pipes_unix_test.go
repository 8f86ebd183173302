//go:build unix

package main

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/test/program"
)

// sort neither reads a pipe that stands where a picture was, nor one that has
// the name which the copy should have.
func TestSortReadsNoNamedPipe(t *testing.T) {
	folder := t.TempDir()
	picture := filepath.Join(folder, "picture.png")
	program.WriteFile(t, picture, []byte("content"))
	for name, paths := range map[string][2]string{
		"source": {program.NamedPipe(t, folder, "in", "a.png"), filepath.Join(folder, "out", "a.png")},
		"target": {picture, program.NamedPipe(t, folder, "liked", "picture.png")},
	} {
		done := make(chan error, 1)
		go func() {
			_, err := transfer(paths[0], paths[1], "copy")
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("%s: got %v, want palate.ErrInvalid", name, err)
			}
		case <-time.After(program.Patience):
			t.Fatalf("%s: transfer waits for a named pipe", name)
		}
	}
}
