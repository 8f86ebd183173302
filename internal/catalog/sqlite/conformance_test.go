package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/catalogtest"
	"github.com/palate-art/palate/internal/catalog/sqlite"
)

func TestConformsToTheContract(t *testing.T) {
	catalogtest.Run(t, func(t *testing.T) (catalog.Catalog, func() catalog.Catalog) {
		path := filepath.Join(t.TempDir(), "catalog.db")
		again := func() catalog.Catalog { return open(t, path) }
		return again(), again
	})
}

func open(t *testing.T, path string) *sqlite.Catalog {
	t.Helper()
	c, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}
