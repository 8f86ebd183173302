//go:build race

package program

import "time"

// The race detector makes drawing, decoding and resizing several times
// slower; the same is tested on fewer pictures and visitors.
const (
	DemoPictures = 160
	DemoRated    = 90
	Visitors     = 3
	StartUp      = 300 * time.Millisecond // until a started program works
	WantAUC      = .75                    // fewer ratings teach less, and fewer pictures judge worse
)
