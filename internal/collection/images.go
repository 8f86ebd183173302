package collection

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/terminal"
)

// ImageEntry is an image of the collection.
type ImageEntry struct {
	ID      palate.ImageID `json:"id"`
	Title   string         `json:"title,omitempty"`
	Artist  string         `json:"artist,omitempty"`
	Format  string         `json:"format"`
	Width   int            `json:"width"`
	Height  int            `json:"height"`
	Bytes   int64          `json:"bytes"`
	AddedAt time.Time      `json:"added_at"`
	// Damage is what is missing or wrong of one that is shown all the same.
	Damage string `json:"damage,omitempty"`
}

func imageEntry(i catalog.Image) ImageEntry {
	return ImageEntry{i.ID, i.Title(), i.Artist(), i.Format, i.Width, i.Height, i.Bytes, i.AddedAt, i.Damage}
}

// Row gives the columns of a list of images.
func (e ImageEntry) Row() []string {
	return []string{e.ID.String(), fmt.Sprintf("%d×%d", e.Width, e.Height), terminal.Shorten(e.Title, 40), terminal.Shorten(e.Artist, 30), e.Damage}
}

// ImageColumns are the heads of Row.
func ImageColumns() []string { return []string{"ID", "SIZE", "TITLE", "ARTIST", "DAMAGE"} }

// Images lists up to limit images whose title or artist has a text in it, the
// newest first; any if the text is empty. damaged leaves only those that are
// shown though some of them is missing or wrong.
func (c *Collection) Images(ctx context.Context, search string, damaged bool, limit int) (entries []ImageEntry, err error) {
	const most = 1000 // of a page
	for query := (catalog.ImageQuery{Search: search, Damaged: damaged}); ; {
		query.Limit = min(limit-len(entries), most)
		page, err := c.Catalog.ListImages(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, image := range page.Images {
			entries = append(entries, imageEntry(image))
		}
		if query.After = page.Next; page.Next == "" || len(entries) == limit {
			return entries, nil
		}
	}
}

// ImageWithSources is an image and where it came from.
type ImageWithSources struct {
	ImageEntry
	Sources []palate.Source `json:"sources"`
}

// Words describe an image to people.
func (i ImageWithSources) Words() []string {
	lines := []string{fmt.Sprintf("%s  %s, %d×%d, %s, added %s", i.ID, i.Format, i.Width, i.Height, terminal.Bytes(i.Bytes), i.AddedAt.Local().Format(time.DateTime))}
	if i.Damage != "" {
		lines = append(lines, "  damaged: "+i.Damage)
	}
	for _, source := range i.Sources {
		lines = append(lines, fmt.Sprintf("  %s  %s  %s", source.Address, source.Title, source.Artist))
	}
	return lines
}

// Image finds one image.
func (c *Collection) Image(ctx context.Context, id palate.ImageID) (ImageWithSources, error) {
	image, err := c.Catalog.Image(ctx, id)
	if err != nil {
		return ImageWithSources{}, err
	}
	return ImageWithSources{imageEntry(image), image.Sources}, nil
}

// The states of a Deletion.
const (
	InTrash  = "in the trash"
	Purged   = "purged"
	Restored = "restored"
)

// Deletion is what became of an image that was deleted or restored.
type Deletion struct {
	ID     palate.ImageID `json:"id"`
	State  string         `json:"state"`
	Reason string         `json:"reason,omitempty"`
	Until  *time.Time     `json:"until,omitempty"` // it can be restored
}

// Delete moves an image to the trash, or with purge removes it for good at once,
// what is in the trash too.
func (c *Collection) Delete(ctx context.Context, id palate.ImageID, reason string, purge bool) (Deletion, error) {
	if purge {
		return Deletion{ID: id, State: Purged, Reason: reason}, c.Pictures.Purge(ctx, id, reason)
	}
	err := c.Pictures.Remove(ctx, id, reason)
	until := time.Now().Add(ingest.KeptFor).UTC().Truncate(time.Second)
	return Deletion{ID: id, State: InTrash, Reason: reason, Until: &until}, err
}

// TrashEntry is an image in the trash.
type TrashEntry struct {
	ID        palate.ImageID `json:"id"`
	Title     string         `json:"title,omitempty"`
	Artist    string         `json:"artist,omitempty"`
	Bytes     int64          `json:"bytes"`
	Reason    string         `json:"reason"`
	DeletedAt time.Time      `json:"deleted_at"`
	Until     time.Time      `json:"until"` // it can be restored
}

// Trash lists what was deleted and can be restored, the oldest first.
func (c *Collection) Trash(ctx context.Context, limit int) ([]TrashEntry, error) {
	thrown, err := c.Catalog.Trash(ctx, time.Time{}, limit)
	if err != nil {
		return nil, err
	}
	entries := make([]TrashEntry, len(thrown))
	for i, t := range thrown {
		entries[i] = TrashEntry{t.ID, t.Title, t.Artist, t.Bytes, t.Reason, t.DeletedAt, t.DeletedAt.Add(ingest.KeptFor)}
	}
	return entries, nil
}
