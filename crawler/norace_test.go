//go:build !race

package crawler_test

// See race_test.go.
const (
	thumbnailsOfLargePage = 8000
	picturesOfBadTime     = 600
	picturesOfRefusal     = 80
)
