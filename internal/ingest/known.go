package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/imagestore"
)

// knownReference finds a file among those that the store references: of the
// same path, size and time. It is not read then.
func (c *Collection) knownReference(ctx context.Context, file folder.File, mode StoreMode) (Addition, bool, error) {
	store, can := c.store.(imagestore.InPlace)
	if mode != Reference || !can {
		return Addition{}, false, nil
	}
	info, err := os.Stat(file.Path)
	if err != nil {
		return Addition{}, false, nil // reading it tells why
	}
	images, err := c.catalog.ImagesByAddress(ctx, file.Source.Address)
	if err != nil {
		return Addition{}, false, err
	}
	for _, image := range images {
		ref, err := store.ReferenceOf(ctx, image.ID)
		if errors.Is(err, palate.ErrUnavailable) {
			return Addition{}, false, err
		}
		if err == nil && ref.Path == file.Path && ref.Bytes == info.Size() && ref.Modified.Equal(info.ModTime()) {
			return Addition{ID: image.ID}, true, c.addSource(ctx, image, file.Source)
		}
	}
	return Addition{}, false, nil
}

// knownContent finds a picture that the collection has, by its hash, and the
// same bytes in the store: it was decoded when it came. One that was deleted
// is known too, as an error.
func (c *Collection) knownContent(ctx context.Context, source palate.Source, sum [sha256.Size]byte, content []byte) (Addition, bool, error) {
	id := palate.NewImageID(sum)
	image, err := c.catalog.Image(ctx, id)
	if errors.Is(err, palate.ErrNotFound) {
		return Addition{ID: id}, false, c.refuseDeleted(ctx, id)
	}
	if err != nil {
		return Addition{ID: id}, false, err
	}
	same, err := c.stores(ctx, id, content)
	if err != nil || !same {
		return Addition{ID: id}, false, err
	}
	return Addition{ID: id}, true, c.addSource(ctx, image, source)
}

// stores reports whether the store has these bytes. A file that is lost or
// damaged is brought again.
func (c *Collection) stores(ctx context.Context, id palate.ImageID, content []byte) (bool, error) {
	file, err := c.store.Open(ctx, id)
	if err != nil {
		if errors.Is(err, palate.ErrUnavailable) {
			return false, err
		}
		return false, ctx.Err()
	}
	defer file.Close()
	chunk := make([]byte, 64<<10)
	for len(content) > 0 {
		n, err := io.ReadFull(file, chunk[:min(len(chunk), len(content))])
		if err != nil || !bytes.Equal(chunk[:n], content[:n]) {
			return false, ctx.Err()
		}
		content = content[n:]
	}
	n, err := file.Read(chunk[:1])
	return n == 0 && errors.Is(err, io.EOF), ctx.Err()
}

// addSource adds or refreshes a source of an image, if it says anything new.
func (c *Collection) addSource(ctx context.Context, image catalog.Image, source palate.Source) error {
	if slices.ContainsFunc(image.Sources, func(s palate.Source) bool { return sameSource(s, source) }) {
		return nil
	}
	_, err := c.catalog.AddImage(ctx, image, source, nil)
	return err
}

// sameSource compares all but the time.
func sameSource(a, b palate.Source) bool {
	categories := slices.Equal(a.Categories, b.Categories)
	a.Categories, b.Categories = nil, nil
	a.RetrievedAt, b.RetrievedAt = time.Time{}, time.Time{}
	return categories && reflect.DeepEqual(a, b)
}
