// Package ingest carries pictures along the way from found to searchable:
// found -> validated -> stored -> in the catalog -> embedded -> in the index.
// Every arrow starts again from the catalog, so a killed process loses nothing
// and repeats nothing.
package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/picture"
)

// Collection takes pictures in and out: the file is durable in the image
// store before its row is in the catalog, and goes after its row has gone for
// good. It
// is safe for concurrent use, and is the crawler.Keeper of a crawl.
type Collection struct {
	catalog  catalog.Catalog
	store    imagestore.Store
	limits   ownLimits
	budget   *picture.Budget
	meter    embedder.Meter // of everything that EmbedPending does
	bound    atomic.Bool    // Recognise has found that catalog and store belong together
	reserve  *Reserve       // nil is none
	now      func() time.Time
	sketches sketching
	noted    atomic.Int64 // when the store was last told how far the catalog has come, as Unix nanoseconds
}

var _ crawler.Keeper = (*Collection)(nil)

// NewCollection returns a collection that refuses pictures beyond the limits.
// It decodes within a budget of its own, of picture.DefaultBudget.
func NewCollection(c catalog.Catalog, store imagestore.Store, limits picture.Limits) *Collection {
	return &Collection{catalog: c, store: store, limits: newOwnLimits(limits), budget: picture.NewDefaultBudget(), now: time.Now}
}

// Within makes a new collection decode within a budget that it shares with
// whatever else decodes in this process, and returns the collection.
func (c *Collection) Within(budget *picture.Budget) *Collection {
	c.budget = budget
	return c
}

// patience is how long somebody who waits for an answer is kept waiting for
// memory to decode in.
const patience = 10 * time.Second

func (c *Collection) uploadTerms(reading picture.Reading) picture.Terms {
	return picture.Terms{Limits: c.limits.uploaded, Reading: reading, Patience: patience}
}

// Embedding tells what EmbedPending has done in this process, up to now.
func (c *Collection) Embedding() embedder.Stats { return c.meter.Stats() }

// Addition is what became of a picture that was added.
type Addition struct {
	ID  palate.ImageID
	New bool // the collection did not have it

	// Damage says of a file that was decoded for it what is missing or wrong,
	// see picture.Info.
	Damage string
}

// Add validates an uploaded picture, of up to 50 megapixels (see UpTo), by decoding it,
// stores it and adds its source. A source without an address gets one that is
// its own by the file's hash. What is no picture is palate.ErrInvalid (see
// picture for the kinds), as is a source that says what can't be taken
// (*palate.FieldError); what was deleted with a reason is
// palate.ErrConflict, and no room to decode it in is palate.ErrUnavailable.
func (c *Collection) Add(ctx context.Context, content []byte, source palate.Source) (Addition, error) {
	if err := source.Validate(time.Now()); err != nil {
		return Addition{}, err
	}
	info, err := c.budget.Check(ctx, content, c.uploadTerms(picture.Reading{}))
	if err != nil {
		return Addition{}, Liftable(err)
	}
	image := describe(sha256.Sum256(content), content, info)
	if source.Address == "" {
		source.Address = source.Site + ":" + image.ID.String() + "/" + strings.ToValidUTF8(source.OriginalName, "\uFFFD")
	}
	return c.add(ctx, image, source, func() error { return c.put(ctx, image.SHA256, content) })
}

// add stores a validated picture unless it was deleted, and writes its row.
func (c *Collection) add(ctx context.Context, image catalog.Image, source palate.Source, store func() error) (Addition, error) {
	addition := Addition{ID: image.ID}
	if err := c.refuseDeleted(ctx, image.ID); err != nil {
		return addition, err
	}
	if err := store(); err != nil {
		return addition, err
	}
	added, err := c.catalog.AddImage(ctx, image, source, nil)
	if err != nil {
		return addition, err
	}
	if added.Tombstoned { // deleted between the two
		err := c.refuseDeleted(ctx, image.ID)
		if err == nil {
			err = fmt.Errorf("image %s: the picture at %s %w and stays away: %w", image.ID, source.Address, errDeleted, palate.ErrConflict)
		}
		return addition, errors.Join(err, c.dropFile(ctx, image.ID))
	}
	addition.New = added.Image
	c.noteSometimes(ctx)
	return addition, nil
}

// describe makes the row of a picture that was decoded, by the hash of its
// content.
func describe(sum [sha256.Size]byte, content []byte, info picture.Info) catalog.Image {
	return catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: int64(len(content)),
		Format: info.Format, Width: info.Width, Height: info.Height, Decoded: true, Damage: info.Damage}
}

func (c *Collection) put(ctx context.Context, sum [sha256.Size]byte, content []byte) error {
	_, err := c.store.PutContent(ctx, sum, content)
	return err
}

// Standing tells a crawl what earlier runs made of addresses.
func (c *Collection) Standing(ctx context.Context, addresses []string) ([]crawler.Standing, error) {
	return c.catalog.Addresses(ctx, addresses)
}

// Keep takes what a crawl found; the crawl has validated the picture. What the
// site says of it that can't be taken is dropped.
func (c *Collection) Keep(ctx context.Context, crawl string, task crawler.Task, find crawler.Find) (crawler.Keeping, palate.ImageID, error) {
	image := describe(sha256.Sum256(find.Content), find.Content, picture.Info{Format: find.Format, Width: find.Width, Height: find.Height, Damage: find.Damage})
	image.Decoded = find.Decoded
	_, err := c.catalog.TombstoneOf(ctx, image.ID)
	switch {
	case errors.Is(err, palate.ErrNotFound):
		if err := c.put(ctx, image.SHA256, find.Content); err != nil {
			return "", image.ID, err
		}
	case err != nil:
		return "", image.ID, err
	}
	added, err := c.catalog.AddImage(ctx, image, find.Source.Clean(time.Now()), &catalog.CrawlTask{Crawl: crawl, Task: task, Most: find.Most})
	if err == nil {
		c.noteSometimes(ctx)
	}
	switch {
	case err != nil:
		return "", image.ID, err
	case added.Tombstoned: // perhaps a moment ago, and its file just stored again
		return crawler.KeptDeleted, image.ID, c.dropFile(ctx, image.ID)
	case added.TooMany: // and its file just stored
		return crawler.KeptTooMany, image.ID, c.dropFile(ctx, image.ID)
	case added.Image:
		return crawler.KeptNew, image.ID, nil
	case added.Duplicate:
		return crawler.KeptDuplicate, image.ID, nil
	}
	return crawler.KeptKnown, image.ID, nil
}

// open reads the upright picture of an image and hands it to use, which must
// not keep it. It waits for memory as long as told, 0 for ever.
func (c *Collection) open(ctx context.Context, id palate.ImageID, reading picture.Reading, wait time.Duration, use func(*picture.RGB) error) error {
	_, err := c.openTold(ctx, id, reading, wait, use)
	return err
}

// openTold is open that gives what the file and its decoding told; without use
// no pixel is kept.
func (c *Collection) openTold(ctx context.Context, id palate.ImageID, reading picture.Reading, wait time.Duration, use func(*picture.RGB) error) (picture.Info, error) {
	file, err := c.store.Open(ctx, id)
	if err != nil {
		return picture.Info{}, err
	}
	defer file.Close()
	terms := picture.Terms{Limits: c.limits.stored, Reading: reading, Alone: true, Patience: wait}
	var seen func(*picture.RGB, picture.Info) error
	if use != nil {
		seen = func(m *picture.RGB, _ picture.Info) error { return use(m) }
	}
	info, err := c.budget.Decode(ctx, file, terms, seen)
	return info, Liftable(err)
}

// Thumbnail opens the JPEG of an image, at most width pixels wide; it is made
// at the first call and kept. palate.ErrNotFound without the image, also while
// it is in the trash. The caller closes it.
func (c *Collection) Thumbnail(ctx context.Context, id palate.ImageID, width int) (io.ReadSeekCloser, error) {
	return c.thumbnailIf(ctx, id, width, catalog.PresentImage)
}

// TrashThumbnail is the same of an image in the trash, and of no other.
func (c *Collection) TrashThumbnail(ctx context.Context, id palate.ImageID, width int) (io.ReadSeekCloser, error) {
	return c.thumbnailIf(ctx, id, width, catalog.TrashedImage)
}

func (c *Collection) thumbnailIf(ctx context.Context, id palate.ImageID, width int, wanted catalog.ImageState) (io.ReadSeekCloser, error) {
	states, err := c.catalog.ImageStates(ctx, []palate.ImageID{id})
	if err != nil {
		return nil, err
	}
	if states[0] != wanted {
		return nil, fmt.Errorf("thumbnail of %s: there is no such image: %w", id, palate.ErrNotFound)
	}
	kept, err := c.store.OpenThumbnail(ctx, id, width)
	if !errors.Is(err, palate.ErrNotFound) {
		return kept, err
	}
	var jpeg bytes.Buffer
	// Its shorter side is at most that, and at a fraction of a JPEG nobody
	// sees the difference.
	reading := picture.Reading{Rules: picture.Current().Without(picture.JPEGWhole), Short: width, Window: func(w, h int) picture.Window {
		if w <= width {
			return picture.Window{}
		}
		h = max(1, (h*width+w/2)/w)
		return picture.CenterWindow(width, h, width, h, picture.Bicubic)
	}}
	err = c.open(ctx, id, reading, patience, func(m *picture.RGB) (err error) {
		if m.Width > width { // it did not come reduced
			if m, err = picture.Resize(m, width, max(1, (m.Height*width+m.Width/2)/m.Width)); err != nil {
				return err
			}
		}
		return picture.EncodeJPEG(&jpeg, m, thumbnailQuality)
	})
	if err != nil {
		return nil, fmt.Errorf("thumbnail of %s: %w", id, err)
	}
	// A thumbnail that can't be kept is made again at the next call.
	_ = c.store.PutThumbnail(ctx, id, width, jpeg.Bytes())
	return thumbnail{bytes.NewReader(jpeg.Bytes())}, nil
}

// thumbnailQuality of JPEG: no visible loss at these sizes.
const thumbnailQuality = 85

type thumbnail struct{ *bytes.Reader }

func (thumbnail) Close() error { return nil }

// Patches embeds an image anew, and gives its patches beside the embedding.
// palate.ErrNotFound if its file is not there.
func (c *Collection) Patches(ctx context.Context, e embedder.PatchEmbedder, id palate.ImageID) (palate.Embedding, embedder.Patches, error) {
	failed := func(err error) (palate.Embedding, embedder.Patches, error) {
		return nil, embedder.Patches{}, fmt.Errorf("patches of %s: %w", id, err)
	}
	embedding, input, err := embedder.EmbedDecoded(ctx, e, func(use func(image.Image) error) error {
		return c.open(ctx, id, e.Reading(), patience, func(m *picture.RGB) error { return use(m) })
	})
	if err != nil {
		return failed(err)
	}
	patches, err := e.EmbedPatches(ctx, []embedder.Input{input})
	if err != nil {
		return failed(err)
	}
	return embedding, patches[0], nil
}

// EmbedPicture gives the embedding of an uploaded picture that is not kept,
// with the bounds of Add.
func (c *Collection) EmbedPicture(ctx context.Context, e embedder.Embedder, content []byte) (palate.Embedding, error) {
	embedding, _, err := embedder.EmbedDecoded(ctx, e, func(use func(image.Image) error) error {
		_, err := c.budget.DecodeBytes(ctx, content, c.uploadTerms(e.Reading()), func(m *picture.RGB, _ picture.Info) error { return use(m) })
		return Liftable(err)
	})
	return embedding, err
}
