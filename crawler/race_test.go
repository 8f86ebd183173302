//go:build race

package crawler_test

// Reading and visiting take ten times as long under the race detector, so pages
// and albums are smaller.
const (
	thumbnailsOfLargePage = 2400
	picturesOfBadTime     = 320
	picturesOfRefusal     = 30
)
