package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
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

// imageLine is what list prints of one image.
type imageLine struct {
	ID      palate.ImageID `json:"id"`
	Title   string         `json:"title,omitempty"`
	Artist  string         `json:"artist,omitempty"`
	Format  string         `json:"format"`
	Width   int            `json:"width"`
	Height  int            `json:"height"`
	Bytes   int64          `json:"bytes"`
	AddedAt time.Time      `json:"added_at"`
}

func lineOf(i catalog.Image) imageLine {
	return imageLine{i.ID, i.Title(), i.Artist(), i.Format, i.Width, i.Height, i.Bytes, i.AddedAt}
}

type listImages struct {
	Search string `help:"Part of a title or an artist's name." placeholder:"TEXT"`
	Limit  int    `help:"Images at most." default:"50"`
	All    bool   `help:"All images, however many there are."`
}

// Run lists images.
func (c *listImages) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 || c.Limit > mostListed {
		return usagef("--limit is %d, want 1 to %d; --all lists all", c.Limit, mostListed)
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	limit := c.Limit
	if c.All {
		limit = math.MaxInt
	}
	images, err := h.NewestImages(ctx, c.Search, limit)
	if err = errors.Join(err, h.Close()); err != nil {
		return err
	}
	lines, rows := []imageLine{}, [][]string{{"ID", "SIZE", "TITLE", "ARTIST"}}
	for _, image := range images {
		l := lineOf(image)
		lines, rows = append(lines, l), append(rows, []string{l.ID.String(), fmt.Sprintf("%d×%d", l.Width, l.Height), terminal.Shorten(l.Title, 40), terminal.Shorten(l.Artist, 30)})
	}
	if s.JSON {
		return s.Print(lines)
	}
	s.Table(rows...)
	return nil
}

type showImage struct {
	Image string `arg:"" help:"An image, by id, its beginning, file or address."`
}

// Run shows one image.
func (c *showImage) Run(ctx context.Context, s *session) error {
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	image, err := func() (catalog.Image, error) {
		id, err := h.ImageNamed(ctx, c.Image)
		if err != nil {
			return catalog.Image{}, err
		}
		return h.Catalog.Image(ctx, id)
	}()
	if err = errors.Join(err, h.Close()); err != nil {
		return err
	}
	if s.JSON {
		return s.Print(struct {
			imageLine
			Sources []palate.Source `json:"sources"`
		}{lineOf(image), image.Sources})
	}
	s.Say("%s  %s, %d×%d, %s, added %s", image.ID, image.Format, image.Width, image.Height, terminal.Bytes(image.Bytes), image.AddedAt.Local().Format(time.DateTime))
	for _, source := range image.Sources {
		s.Say("  %s  %s  %s", source.Address, source.Title, source.Artist)
	}
	return nil
}

type deleteImages struct {
	Images []string `arg:"" name:"image" help:"Images, by id, its beginning, file or address."`
	Reason string   `help:"Why, for whoever wonders later." default:"deleted by palate images delete"`
	Purge  bool     `help:"Remove them for good at once, as a takedown asks for; what is in the trash too."`
}

// deletionLine is what delete and restore print of one image.
type deletionLine struct {
	ID     palate.ImageID `json:"id"`
	State  string         `json:"state"` // "in the trash", "purged" or "restored"
	Reason string         `json:"reason,omitempty"`
	Until  *time.Time     `json:"until,omitempty"` // it can be restored
}

// Run deletes images.
func (c *deleteImages) Run(ctx context.Context, s *session) error {
	return eachImage(ctx, s, c.Images, c.named, func(h *collection.Collection, id palate.ImageID) error {
		if c.Purge {
			if err := h.Pictures.Purge(ctx, id, c.Reason); err != nil {
				return err
			}
			return s.Done(deletionLine{ID: id, State: "purged", Reason: c.Reason}, "%s is gone for good and stays away.", id)
		}
		if err := h.Pictures.Remove(ctx, id, c.Reason); err != nil {
			return err
		}
		until := time.Now().Add(ingest.KeptFor).UTC().Truncate(time.Second)
		return s.Done(deletionLine{ID: id, State: "in the trash", Reason: c.Reason, Until: &until},
			"%s is in the trash until %s: palate images restore %s brings it back.", id, until.Local().Format(time.DateOnly), id)
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
		return s.Done(deletionLine{ID: id, State: "restored"}, "%s is back, with its ratings.", id)
	})
}

// finding is how images are named.
type finding func(*collection.Collection, context.Context, string) (palate.ImageID, error)

// named finds what is to be deleted; for good, in the trash too.
func (c *deleteImages) named(h *collection.Collection, ctx context.Context, name string) (palate.ImageID, error) {
	id, err := h.ImageNamed(ctx, name)
	if c.Purge && errors.Is(err, palate.ErrNotFound) {
		if thrown, other := h.TrashedNamed(ctx, name); other == nil {
			return thrown, nil
		}
	}
	return id, err
}

// eachImage does something to every image that is named.
func eachImage(ctx context.Context, s *session, names []string, find finding, do func(*collection.Collection, palate.ImageID) error) error {
	h, err := s.opened(collection.OpenWithRoom(ctx, s.collectionConfig(), s, s.logger))
	if err != nil {
		return err
	}
	ids := make([]palate.ImageID, len(names))
	for i, name := range names {
		if ids[i], err = find(h, ctx, name); err != nil {
			return errors.Join(err, h.Close())
		}
	}
	for _, id := range ids {
		if err := do(h, id); err != nil {
			return errors.Join(err, h.Close())
		}
	}
	return h.Close()
}

// trashLine is what is printed of one image in the trash.
type trashLine struct {
	ID        palate.ImageID `json:"id"`
	Title     string         `json:"title,omitempty"`
	Artist    string         `json:"artist,omitempty"`
	Bytes     int64          `json:"bytes"`
	Reason    string         `json:"reason"`
	DeletedAt time.Time      `json:"deleted_at"`
	Until     time.Time      `json:"until"`
}

type listTrash struct {
	Limit int `help:"Images at most, 1 to 1000." default:"1000"`
}

// Run lists the trash.
func (c *listTrash) Run(ctx context.Context, s *session) error {
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	thrown, err := h.Catalog.Trash(ctx, time.Time{}, c.Limit)
	if err = errors.Join(err, h.Close()); err != nil {
		return err
	}
	lines, rows := []trashLine{}, [][]string{{"ID", "UNTIL", "SIZE", "TITLE", "WHY"}}
	for _, t := range thrown {
		l := trashLine{t.ID, t.Title, t.Artist, t.Bytes, t.Reason, t.DeletedAt, t.DeletedAt.Add(ingest.KeptFor)}
		lines, rows = append(lines, l), append(rows, []string{l.ID.String(), l.Until.Local().Format(time.DateOnly), terminal.Bytes(l.Bytes), terminal.Shorten(l.Title, 40), terminal.Shorten(l.Reason, 40)})
	}
	if s.JSON {
		return s.Print(lines)
	}
	if len(lines) == 0 {
		s.Say("The trash is empty.")
		return nil
	}
	s.Table(rows...)
	return nil
}

type emptyTrash struct {
	Yes bool `help:"Do not ask."`
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
