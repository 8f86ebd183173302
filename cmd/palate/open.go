package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/palate-art/palate"
)

type openCommand struct {
	Image string `arg:"" help:"An image, by id, its beginning, file or address."`
	Print bool   `help:"Open nothing: print where the copy is."`
}

// Run shows a copy of an image's file in whatever the system opens pictures
// with, under a name whose ending says what it is.
func (c *openCommand) Run(ctx context.Context, s *session) error {
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	id, err := h.ImageNamed(ctx, c.Image)
	path := ""
	if err == nil {
		path, err = h.CopyOf(ctx, id, filepath.Join(os.TempDir(), "palate-open"))
	}
	if err = errors.Join(err, h.Close()); err != nil {
		return err
	}
	if err := s.Done(struct {
		Image palate.ImageID `json:"image_id"`
		File  string         `json:"file"`
	}{id, path}, "%s", path); err != nil || c.Print || s.JSON {
		return err
	}
	name, args := viewer(path)
	if err := exec.CommandContext(ctx, name, args...).Run(); err != nil {
		return fmt.Errorf("a copy of the picture is %s; %s, which opens files here, did not show it: %w", path, name, err)
	}
	return nil
}

// viewer is what opens a file with the program that its kind belongs to.
func viewer(path string) (name string, args []string) {
	switch runtime.GOOS {
	case "darwin":
		return "open", []string{path}
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler", path}
	}
	return "xdg-open", []string{path}
}
