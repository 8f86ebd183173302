package main

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
)

type imagesCommand struct {
	List    listImages    `cmd:"" help:"Images of the collection, the newest first."`
	Show    showImage     `cmd:"" help:"One image with its sources and where its file is."`
	Delete  deleteImages  `cmd:"" help:"Move images to the trash, from which they can be restored for 30 days."`
	Restore restoreImages `cmd:"" help:"Bring images back from the trash, with their ratings."`
}

type trashCommand struct {
	List  listTrash  `cmd:"" help:"What was deleted and can be restored, the oldest first."`
	Empty emptyTrash `cmd:"" help:"Remove what is in the trash for good, which frees its space at once."`
}

type listImages struct {
	Search  string `help:"Part of a title or an artist's name." placeholder:"TEXT"`
	Damaged bool   `help:"Only images that came damaged and are shown as far as they go."`
	Limit   int    `help:"Images at most." default:"50" short:"n"`
	All     bool   `help:"All images, however many there are."`
}

// Run lists images.
func (c *listImages) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 || c.Limit > mostListed {
		return usagef("--limit is %d, want 1 to %d; --all lists all", c.Limit, mostListed)
	}
	if c.All {
		c.Limit = math.MaxInt
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		images, err := h.Images(ctx, c.Search, c.Damaged, c.Limit)
		if err != nil {
			return err
		}
		return terminal.List(s.Terminal, images, "There is no such image in the collection.", collection.ImageColumns(), collection.ImageEntry.Row)
	})
}

type showImage struct {
	Image string `arg:"" help:"An image, by id, its beginning, file or address."`
}

// Run shows one image.
func (c *showImage) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		id, err := h.ImageNamed(ctx, c.Image)
		if err != nil {
			return err
		}
		image, err := h.Image(ctx, id)
		if err != nil {
			return err
		}
		return s.Show(image, func() { s.SayAll(image.Words()) })
	})
}

type deleteImages struct {
	Images []string `arg:"" name:"image" help:"Images, by id, its beginning, file or address."`
	Reason string   `help:"Why, for whoever wonders later." default:"deleted by palate images delete"`
	Purge  bool     `help:"Remove them for good at once, as a takedown asks for; what is in the trash too."`
}

// Run deletes images.
func (c *deleteImages) Run(ctx context.Context, s *session) error {
	find := (*collection.Collection).ImageNamed
	if c.Purge {
		find = (*collection.Collection).NamedAnywhere
	}
	return eachImage(ctx, s, c.Images, find, func(h *collection.Collection, id palate.ImageID) error {
		d, err := h.Delete(ctx, id, c.Reason, c.Purge)
		if err != nil {
			return err
		}
		if c.Purge {
			return s.Done(d, "%s is gone for good and stays away.", id)
		}
		return s.Done(d, "%s is in the trash until %s: palate images restore %s brings it back.", id, d.Until.Local().Format(time.DateOnly), id)
	})
}

type restoreImages struct {
	Images []string `arg:"" name:"image" help:"Images, by id, its beginning or file."`
}

// Run restores images.
func (c *restoreImages) Run(ctx context.Context, s *session) error {
	return eachImage(ctx, s, c.Images, (*collection.Collection).TrashedNamed, func(h *collection.Collection, id palate.ImageID) error {
		if err := h.Pictures.Restore(ctx, id); err != nil {
			return err
		}
		return s.Done(collection.Deletion{ID: id, State: collection.Restored}, "%s is back, with its ratings.", id)
	})
}

// finding is how images are named.
type finding func(*collection.Collection, context.Context, string) (palate.ImageID, error)

// eachImage does something to every image that is named, if each is found.
func eachImage(ctx context.Context, s *session, names []string, find finding, do func(*collection.Collection, palate.ImageID) error) error {
	h, err := s.opened(collection.OpenWithRoom(ctx, s.collectionConfig(), s, s.logger))
	if err != nil {
		return err
	}
	ids := make([]palate.ImageID, len(names))
	for i := 0; err == nil && i < len(ids); i++ {
		ids[i], err = find(h, ctx, names[i])
	}
	for i := 0; err == nil && i < len(ids); i++ {
		err = do(h, ids[i])
	}
	return errors.Join(err, h.Close())
}

type listTrash struct {
	Limit int `help:"Images at most, 1 to 1000." default:"1000" short:"n"`
}

// Run lists the trash.
func (c *listTrash) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		thrown, err := h.Trash(ctx, c.Limit)
		if err != nil {
			return err
		}
		return terminal.List(s.Terminal, thrown, "The trash is empty.", []string{"ID", "UNTIL", "SIZE", "TITLE", "WHY"}, func(t collection.TrashEntry) []string {
			return []string{t.ID.String(), t.Until.Local().Format(time.DateOnly), terminal.Bytes(t.Bytes), terminal.Shorten(t.Title, 40), terminal.Shorten(t.Reason, 40)}
		})
	})
}

type emptyTrash struct {
	Yes bool `help:"Do not ask." short:"y"`
}

// Run empties the trash.
func (c *emptyTrash) Run(ctx context.Context, s *session) error {
	if err := s.confirm(c.Yes, "Everything in the trash is removed for good. Go on?"); err != nil {
		return err
	}
	h, err := s.opened(collection.OpenWithRoom(ctx, s.collectionConfig(), s, s.logger))
	if err != nil {
		return err
	}
	purged, err := h.Pictures.EmptyTrash(ctx, time.Time{})
	if err = errors.Join(err, h.Close()); err != nil {
		return err
	}
	return s.Done(map[string]int{"purged": purged}, "%d images are gone for good.", purged)
}
