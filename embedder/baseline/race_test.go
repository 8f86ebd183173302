//go:build race

package baseline_test

import (
	"os"
	"testing"
)

// longRace leaves a test that mostly paints to the run that asks for it.
func longRace(t *testing.T) {
	t.Helper()
	if os.Getenv("PALATE_TEST_LONG_RACE") == "" {
		t.Skip("opt-in: painting takes ten times as long with the race detector; PALATE_TEST_LONG_RACE=1 runs it")
	}
}

// Painting takes ten times as long under the race detector, so the gallery is
// small here, and what can be learned from it less.
const (
	galleryPictures   = 60
	wantWorstButOne   = 0.6
	wantMedian        = 0.85
	wantPrecisionAt5  = 0.6
	ratingsPerGallery = 40
)
