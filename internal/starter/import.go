package starter

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
)

// importing holds the path, and every file below it, to the folders that the
// operator opened. Files are copied: a caller does not decide how the collection
// keeps them.
func (s *Starter) importing(ctx context.Context, r Request) (work, error) {
	if !filepath.IsAbs(r.Path) {
		return nil, fmt.Errorf("import %s: give the whole path on the server: %w", r.Path, palate.ErrInvalid)
	}
	path := filepath.Clean(r.Path)
	root, err := s.rootOf(path)
	if err != nil {
		return nil, err
	}
	// Once now, so that the caller hears what is wrong with the path.
	if _, err := list(ctx, root, path); err != nil {
		return nil, err
	}
	return func(ctx context.Context, j *job.Job) (report any, err error) {
		within, err := folder.OpenRoot(root)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, within.Close()) }()
		listing, err := folder.ScanWithin(ctx, within, path)
		if err != nil {
			return nil, err
		}
		for i := range listing.Files {
			f := &listing.Files[i]
			switch {
			case r.Profile == "": // nobody says anything
				f.Verdict, f.Stars = "", 0
			case r.Verdict != "":
				f.Verdict = r.Verdict
			}
		}
		return s.parts.Steps.ImportAs(ctx, j, ingest.Import{Files: listing.Files, Mode: ingest.Copy, Profile: r.Profile, Within: within})
	}, nil
}

func list(ctx context.Context, root, path string) (listing folder.Listing, err error) {
	within, err := folder.OpenRoot(root)
	if err != nil {
		return listing, err
	}
	listing, err = folder.ScanWithin(ctx, within, path)
	return listing, errors.Join(err, within.Close())
}

// rootOf gives the root that the path is below by its names. What is not below
// one is forbidden whether it exists or not: the caller is not told.
func (s *Starter) rootOf(path string) (string, error) {
	for _, named := range s.config.ImportRoots {
		root, err := filepath.Abs(named)
		if err != nil {
			return "", err
		}
		if name, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(name) {
			return root, nil
		}
	}
	return "", fmt.Errorf("import %s: imports read only below the folders that the operator opened by palate serve --import-root: %w", path, palate.ErrForbidden)
}
