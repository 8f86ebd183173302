package collection

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

// Collection is an opened collection. Its methods are safe for concurrent use,
// but for Close.
type Collection struct {
	Catalog  *sqlite.Catalog
	Store    *disk.Store
	Pictures *ingest.Collection
	Loader   *Loader

	config  Config
	tell    Teller
	logger  *slog.Logger
	closers []func() error // in the order of opening
}

// Open opens catalog and image store, making the folder if need be. A catalog
// that is not the one of the pictures beside it is refused.
func Open(ctx context.Context, config Config, tell Teller, logger *slog.Logger) (*Collection, error) {
	return open(ctx, config, tell, logger, false)
}

// OpenToAdopt opens them whether they belong together or not.
func OpenToAdopt(ctx context.Context, config Config, tell Teller, logger *slog.Logger) (*Collection, error) {
	return open(ctx, config, tell, logger, true)
}

// OpenWithRoom opens a collection to free space: where a full disk does not even
// let it be opened, the reserve goes first.
func OpenWithRoom(ctx context.Context, config Config, tell Teller, logger *slog.Logger) (*Collection, error) {
	c, err := Open(ctx, config, tell, logger)
	if errors.Is(err, palate.ErrUnavailable) && ingest.NewReserve(filepath.Join(config.Folder, reserveFile)).GiveUp() {
		return Open(ctx, config, tell, logger)
	}
	return c, err
}

func open(ctx context.Context, config Config, tell Teller, logger *slog.Logger, adopt bool) (*Collection, error) {
	if err := PrepareFolder(config, tell, logger); err != nil {
		return nil, err
	}
	c := &Collection{config: config, tell: tell, logger: logger, Loader: NewLoader(config.Models, config.Decoding, tell, logger)}
	var err error
	if c.Store, err = disk.Open(filepath.Join(config.Folder, ImagesFolder)); err != nil {
		return nil, err
	}
	path := filepath.Join(config.Folder, CatalogFile)
	if info, err := os.Stat(path); !adopt && (errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0) {
		if err := ingest.RefuseLostCatalog(ctx, c.Store, path); err != nil {
			return nil, err
		}
	}
	if c.Catalog, err = sqlite.Open(ctx, path, sqlite.DefaultConfig()); err != nil {
		return nil, err
	}
	c.closers = append(c.closers, c.Catalog.Close)
	if m := c.Catalog.Migrated(); m.Copy != "" {
		note(tell, "The catalog was brought from schema version %d to %d; as it was before, it is kept at %s.", m.From, m.To, m.Copy)
	}
	if c.Pictures, err = ingest.NewCollection(c.Catalog, c.Store, picture.DefaultLimits()).Within(config.Decoding).UpTo(config.MaxPixels); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if !adopt {
		if err := c.Pictures.Recognise(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("collection %s: %w", config.Folder, err), c.Close())
		}
		c.seeClock(ctx, false)
	}
	reserve := ingest.NewReserve(filepath.Join(config.Folder, reserveFile))
	c.Pictures.UseReserve(reserve)
	reserve.Fill()
	c.closers = append(c.closers, func() error {
		_ = c.Pictures.Note(context.Background()) // an older number is noticed less well, no more
		return nil
	})
	return c, nil
}

// Folder is where the collection is.
func (c *Collection) Folder() string { return c.config.Folder }

// ReadOnly is nil, or says why the collection can be looked at and not changed.
func (c *Collection) ReadOnly() error { return c.Catalog.ReadOnly() }

// Close closes what was opened, the last first; models are to be closed before.
func (c *Collection) Close() error { return closeAll(&c.closers) }

func closeAll(closers *[]func() error) error {
	var errs []error
	for i := len(*closers) - 1; i >= 0; i-- {
		errs = append(errs, (*closers)[i]())
	}
	*closers = nil
	return errors.Join(errs...)
}

// MustBeThere is palate.ErrNotFound, and says how a collection begins, where a
// folder holds neither a catalog nor pictures of one.
func MustBeThere(folder string) error {
	if _, err := os.Stat(filepath.Join(folder, ImagesFolder)); !errors.Is(err, fs.ErrNotExist) || HasCatalog(folder) {
		return nil
	}
	return fmt.Errorf("there is no collection in %s yet: palate import FOLDER begins one with pictures of yours, palate crawl ADDRESS with those of a site; --data names another: %w", folder, palate.ErrNotFound)
}

// HasCatalog reports whether a folder holds a collection's catalog.
func HasCatalog(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, CatalogFile))
	return !errors.Is(err, fs.ErrNotExist)
}
