package disk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

const (
	markFile = "palate-mark.json"
	seenFile = "palate-seen"

	markVersion = 1
)

// mark is what the file of the mark holds. The change number is in a file of
// its own: it is written often and by every process, the rest once.
type mark struct {
	Version int    `json:"version"`
	Store   string `json:"store"`
	Catalog string `json:"catalog"`
}

// Mark implements imagestore.Store.
func (s *Store) Mark(ctx context.Context) (imagestore.Mark, error) {
	m, err := s.readMark()
	if err != nil || m.Store == "" {
		return imagestore.Mark{}, errors.Join(err, ctx.Err())
	}
	seen, err := s.readSeen()
	return imagestore.Mark{Store: m.Store, Catalog: m.Catalog, Change: seen}, errors.Join(err, ctx.Err())
}

func (s *Store) readMark() (m mark, err error) {
	path := filepath.Join(s.root, markFile)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return mark{}, nil
	case err != nil:
		return mark{}, s.unavailable("read "+path, err)
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Store == "" || m.Catalog == "" {
		return mark{}, fmt.Errorf("%s is damaged: move it away and start again: %w", path, palate.ErrConflict)
	}
	if m.Version > markVersion {
		return mark{}, fmt.Errorf("%s has version %d, this palate knows %d: use a newer palate: %w", path, m.Version, markVersion, palate.ErrConflict)
	}
	return m, nil
}

// readSeen gives 0 where nothing was seen.
func (s *Store) readSeen() (uint64, error) {
	path := filepath.Join(s.root, seenFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, s.unavailable("read "+path, err)
	}
	seen, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is damaged, it holds no number: move it away and start again: %w", path, palate.ErrConflict)
	}
	return seen, nil
}

// SetMark implements imagestore.Store. The number goes first: a process that
// is killed between the two leaves the store with its former catalog.
func (s *Store) SetMark(ctx context.Context, catalog string, change uint64) (imagestore.Mark, error) {
	if err := ctx.Err(); err != nil {
		return imagestore.Mark{}, err
	}
	if catalog == "" {
		return imagestore.Mark{}, fmt.Errorf("image store %s: a catalog without identity: %w", s.root, palate.ErrInvalid)
	}
	m, err := s.readMark()
	if err != nil {
		return imagestore.Mark{}, err
	}
	if m.Store == "" {
		m.Store = strings.ToLower(rand.Text())
	}
	m.Version, m.Catalog = markVersion, catalog
	text, err := json.Marshal(m)
	if err != nil {
		return imagestore.Mark{}, err
	}
	if err := s.writeSeen(change); err != nil {
		return imagestore.Mark{}, err
	}
	if err := s.writeFile(filepath.Join(s.root, markFile), append(text, '\n')); err != nil {
		return imagestore.Mark{}, err
	}
	return imagestore.Mark{Store: m.Store, Catalog: catalog, Change: change}, nil
}

func (s *Store) writeSeen(change uint64) error {
	return s.writeFile(filepath.Join(s.root, seenFile), fmt.Appendln(nil, change))
}

// Saw implements imagestore.Store.
func (s *Store) Saw(ctx context.Context, change uint64) error {
	seen, err := s.readSeen()
	if err != nil || change <= seen {
		return errors.Join(err, ctx.Err())
	}
	return errors.Join(s.writeSeen(change), ctx.Err())
}
