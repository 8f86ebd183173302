package collection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/folder"
)

// mostNamed is how many images an ambiguous name is told to mean.
const mostNamed = 5

// ImageNamed finds the image that a person means by a text: its id or the
// beginning of it, a file (the image of the same content), an address or page
// that it came from, or the name of its file. A text that names none is
// palate.ErrNotFound, one that names several is palate.ErrInvalid and says
// which.
func (c *Collection) ImageNamed(ctx context.Context, name string) (palate.ImageID, error) {
	if id, err := palate.ParseImageID(name); err == nil {
		return id, nil
	}
	id, fileErr := folder.ImageID(name)
	if fileErr == nil {
		found, err := c.Catalog.ImagesByID(ctx, []palate.ImageID{id})
		if err != nil || len(found) == 1 {
			return id, err
		}
	}
	// What an import noted of a file since changed, or gone, is looked for too.
	found, err := c.Catalog.ImagesNamed(ctx, name, mostNamed+1)
	switch {
	case err != nil:
		return palate.ImageID{}, err
	case len(found) == 1:
		return found[0].ID, nil
	case len(found) > 1:
		return palate.ImageID{}, ambiguous(name, found)
	case fileErr == nil:
		return palate.ImageID{}, fmt.Errorf("the file %s is not in the collection; \"palate import\" adds it: %w", name, palate.ErrNotFound)
	}
	return palate.ImageID{}, notNamed(name, "the collection")
}

// TrashedNamed finds an image in the trash by its id or the beginning of it,
// or by its file. Its errors are those of ImageNamed.
func (c *Collection) TrashedNamed(ctx context.Context, name string) (palate.ImageID, error) {
	if id, err := palate.ParseImageID(name); err == nil {
		return id, nil
	}
	if id, err := folder.ImageID(name); err == nil {
		return id, nil
	}
	thrown, err := c.Catalog.LatestTrash(ctx, time.Time{}, 1000)
	if err != nil {
		return palate.ImageID{}, err
	}
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	var found []catalog.Image
	for _, t := range thrown {
		if digits := plain(name); len(digits) >= catalog.MinPrefix && strings.HasPrefix(plain(t.ID.String()), digits) {
			found = append(found, catalog.Image{ID: t.ID})
		}
	}
	switch len(found) {
	case 0:
		return palate.ImageID{}, notNamed(name, "the trash")
	case 1:
		return found[0].ID, nil
	}
	return palate.ImageID{}, ambiguous(name, found)
}

// NamedAnywhere is ImageNamed, and TrashedNamed for what that does not find.
func (c *Collection) NamedAnywhere(ctx context.Context, name string) (palate.ImageID, error) {
	id, err := c.ImageNamed(ctx, name)
	if errors.Is(err, palate.ErrNotFound) {
		if thrown, other := c.TrashedNamed(ctx, name); other == nil {
			return thrown, nil
		}
	}
	return id, err
}

func notNamed(name, where string) error {
	return askedf("%q names no image of %s: neither an id nor at least %d digits that one begins with, nor a file, a file's name or an address that one came from: %w", name, where, catalog.MinPrefix, palate.ErrNotFound)
}

func ambiguous(name string, found []catalog.Image) error {
	var all []string
	for _, image := range found[:min(len(found), mostNamed)] {
		all = append(all, strings.TrimSpace(image.ID.String()+" "+image.Title()))
	}
	if len(found) > mostNamed {
		all = append(all, "and others")
	}
	return askedf("%q may be any of %s; name one by its id: %w", name, strings.Join(all, ", "), palate.ErrInvalid)
}

// Copied is where a copy of an image's file is.
type Copied struct {
	Image palate.ImageID `json:"image_id"`
	File  string         `json:"file"`
}

// CopyOf writes the file of an image that is named (ImageNamed) into a folder,
// which it makes, under the beginning of its id with the ending of its format.
func (c *Collection) CopyOf(ctx context.Context, name, folder string) (copied Copied, err error) {
	id, err := c.ImageNamed(ctx, name)
	if err != nil {
		return copied, err
	}
	image, err := c.Catalog.Image(ctx, id)
	if err != nil {
		return copied, err
	}
	from, err := c.Store.Open(ctx, id)
	if err != nil {
		return copied, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return copied, err
	}
	copied = Copied{id, filepath.Join(folder, id.String()[:8]+"."+image.Format)}
	to, err := os.OpenFile(copied.File, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return copied, err
	}
	_, err = io.Copy(to, from)
	return copied, errors.Join(err, to.Close())
}
