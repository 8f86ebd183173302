package export_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/export"
)

// What the tar unpacks into is what ToFolder writes.
func TestTheTarIsTheFolder(t *testing.T) {
	c, _, _ := filled(t)
	q := export.Query{Profile: palate.DefaultProfile, Model: model, Dim: dim}
	folder := filepath.Join(t.TempDir(), "clip")
	want, err := export.ToFolder(t.Context(), folder, c, q)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	got, err := export.ToTar(t.Context(), &packed, c, q)
	if err != nil || got != want || got == 0 {
		t.Fatalf("got %d rows and %v, want %d", got, err, want)
	}
	files := 0
	for from := tar.NewReader(&packed); ; files++ {
		header, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(header.Name))); err != nil || !bytes.Equal(content, same) {
			t.Errorf("%s differs from the folder's: %v", header.Name, err)
		}
	}
	if files != 2 {
		t.Errorf("got %d files, want the embeddings and the metadata", files)
	}
	if _, err := export.ToTar(t.Context(), io.Discard, c, export.Query{Profile: palate.DefaultProfile}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("without a model: got %v", err)
	}
}
