//go:build race

package baseline_test

// Painting takes ten times as long under the race detector, so the gallery is
// small here, and what can be learned from it less.
const (
	galleryPictures   = 60
	wantWorstButOne   = 0.6
	wantMedian        = 0.85
	wantPrecisionAt5  = 0.6
	ratingsPerGallery = 40
)
