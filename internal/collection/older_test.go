package collection_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
)

// olderCollection unpacks the collection that palate at 643e7ab wrote.
func olderCollection(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	packed, err := os.Open(filepath.FromSlash("../../cmd/palate/testdata/collection-643e7ab.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return folder
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeDir {
			continue
		}
		content, err := io.ReadAll(files)
		path := filepath.Join(folder, filepath.FromSlash(header.Name))
		if err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700)); err == nil {
			err = os.WriteFile(path, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A collection of 643e7ab says, without a version of the format, which model it
// is by, and goes on with that one and its probe.
func TestAnOlderCollectionGoesOnWithItsModel(t *testing.T) {
	config := collection.DefaultConfig(olderCollection(t), t.TempDir())
	c, err := collection.Open(t.Context(), config, collection.Silent{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	entries, err := c.Models(t.Context())
	want := models.Settings{Model: models.Baseline, Numeric: embedder.NumericFloat, Rules: picture.Former}
	if err != nil || len(entries) != 1 || entries[0].Settings != want || entries[0].Embedded != 32 || entries[0].State != collection.StateServes {
		t.Fatalf("got %+v, %v, want 32 embeddings by %+v", entries, err, want)
	}
	m, err := c.OpenModel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Embedder.Model() != entries[0].Model {
		t.Errorf("opened %s, want the collection's own %s", m.Embedder.Model(), entries[0].Model)
	}
	if version, err := m.Tastes.Current(t.Context(), "me"); err != nil || version.Version != 1 {
		t.Errorf("got version %d, %v, want its probe", version.Version, err)
	}
	// A second model of the same collection is open beside it.
	settings := m.Embedder.Settings()
	settings.Rules = picture.Current()
	next, err := m.Beside(t.Context(), settings)
	if err != nil || next == nil {
		t.Fatalf("got %v, %v, want the model by the present rules", next, err)
	}
	if next.Embedder.Model() == m.Embedder.Model() {
		t.Error("both are one model")
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
	if _, err := m.Tastes.Current(t.Context(), "me"); err != nil {
		t.Errorf("after the other was closed: %v", err)
	}
}
