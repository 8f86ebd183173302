package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
)

type openCommand struct {
	Image string `arg:"" help:"An image, by id, its beginning, file or address."`
	Print bool   `help:"Open nothing: print where the copy is."`
}

// Run shows a copy of an image's file in whatever the system opens pictures
// with, under a name whose ending says what it is.
func (c *openCommand) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		copied, err := h.CopyOf(ctx, c.Image, filepath.Join(os.TempDir(), "palate-open"))
		if err == nil {
			err = s.Done(copied, "%s", copied.File)
		}
		if err != nil || c.Print || s.JSON {
			return err
		}
		return terminal.Open(ctx, copied.File)
	})
}
