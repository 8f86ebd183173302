package ingest_test

import (
	"errors"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/sketch"
)

// A sketch is made once, is kept in the catalog, and is made again where an
// older version is kept.
func TestASketchIsMadeOnce(t *testing.T) {
	f := newFixture(t)
	ids := f.add(1, 3)
	id, second := ids[0], ids[1]
	if _, err := f.catalog.SketchOf(t.Context(), sketch.Version, id); !errors.Is(err, palate.ErrNotFound) {
		t.Fatalf("before it was asked for: got %v, want ErrNotFound", err)
	}
	if err := f.catalog.PutSketches(t.Context(), sketch.Version-1, map[palate.ImageID][]byte{id: {1}}); err != nil {
		t.Fatal(err)
	}
	made, err := f.collection.Sketch(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := sketch.Read(made); !ok {
		t.Fatalf("%d bytes are no sketch", len(made))
	}
	kept, err := f.catalog.SketchOf(t.Context(), sketch.Version, id)
	if err != nil || string(kept) != string(made) {
		t.Errorf("kept: %d bytes, %v", len(kept), err)
	}
	// One that waits to be kept with others, and one that is kept, are given
	// without a look at the file.
	waiting, err := f.collection.Sketch(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	for want, of := range map[string]palate.ImageID{string(made): id, string(waiting): second} {
		if err := f.store.Delete(t.Context(), of); err != nil {
			t.Fatal(err)
		}
		if again, err := f.collection.Sketch(t.Context(), of); err != nil || string(again) != want {
			t.Errorf("again: %d bytes, %v", len(again), err)
		}
	}
	if _, err := f.collection.Sketch(t.Context(), palate.ImageID{9}); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("of no image: got %v, want ErrNotFound", err)
	}
}
