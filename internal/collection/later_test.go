package collection_test

import (
	"errors"
	"image"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
)

// Looking at what is embedded takes no model, so none is loaded: here there is
// not even a runtime that could. A picture of one's own needs it, and says so.
func TestLookingLoadsNoModel(t *testing.T) {
	config := collection.DefaultConfig(olderCollection(t), t.TempDir())
	config.Models.Runtime.LibraryPath = filepath.Join(t.TempDir(), "no-runtime.so")
	c, err := collection.Open(t.Context(), config, collection.Silent{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, err := c.OpenModel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := m.Embedder.Provider(); got != "not loaded" {
		t.Errorf("the model is on %q, want it not loaded", got)
	}
	if version, err := m.Tastes.Current(t.Context(), "me"); err != nil || version.Version != 1 {
		t.Errorf("got version %d, %v, want the collection's probe", version.Version, err)
	}
	_, err = m.Loader.EmbedFile(t.Context(), m.Embedder, ownFile(t))
	if err == nil || !strings.Contains(err.Error(), "no-runtime.so") {
		t.Errorf("embedding a file: got %v, want what is wrong with the runtime", err)
	}
}

// Weights that are others than those that embedded the collection are found out
// as soon as they are to embed something beside it.
func TestOtherWeightsThanTheCollectionsEmbedNothing(t *testing.T) {
	folder := olderCollection(t)
	config := collection.DefaultConfig(folder, t.TempDir())
	c, err := collection.Open(t.Context(), config, collection.Silent{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	used, err := c.UsedModels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	later, err := c.Loader.LoadLater(t.Context(), collection.OfOtherWeights(used))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Loader.EmbedFile(t.Context(), later, ownFile(t))
	if !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "bring back the former weights") {
		t.Errorf("got %v, want a conflict that names the way out", err)
	}
	if err := later.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Loader.EmbedFile(t.Context(), later, ownFile(t)); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("after Close: got %v, want ErrInvalid", err)
	}
}

// ownFile is a picture that is in no collection.
func ownFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.png")
	file, err := os.Create(path)
	if err == nil {
		err = errors.Join(png.Encode(file, image.NewNRGBA(image.Rect(0, 0, 64, 48))), file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
