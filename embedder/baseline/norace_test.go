//go:build !race

package baseline_test

// See race_test.go.
const (
	galleryPictures   = 220
	wantWorstButOne   = 0.9 // of ten visitors
	wantMedian        = 0.95
	wantPrecisionAt5  = 0.8
	ratingsPerGallery = 120
)
