//go:build unix

package folder_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/test/program"
)

// Place neither reads a pipe that stands where a picture was, nor one that has
// the name which the copy should have.
func TestPlaceReadsNoNamedPipe(t *testing.T) {
	in := t.TempDir()
	picture := filepath.Join(in, "picture.png")
	program.WriteFile(t, picture, []byte("content"))
	for name, paths := range map[string][2]string{
		"source": {program.NamedPipe(t, in, "in", "a.png"), filepath.Join(in, "out", "a.png")},
		"target": {picture, program.NamedPipe(t, in, "liked", "picture.png")},
	} {
		done := make(chan error, 1)
		go func() {
			_, err := folder.Place(paths[0], paths[1], folder.Copy)
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("%s: got %v, want palate.ErrInvalid", name, err)
			}
		case <-time.After(program.Patience):
			t.Fatalf("%s: Place waits for a named pipe", name)
		}
	}
}
