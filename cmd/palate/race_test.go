//go:build race

package main

import "time"

// The race detector makes drawing, decoding and resizing several times
// slower; the same is tested on fewer pictures and visitors.
const (
	raceEnabled  = true
	demoPictures = 160
	demoRated    = 90
	visitors     = 3
	startUp      = 300 * time.Millisecond // until a started program works
	wantAUC      = .75                    // fewer ratings teach less, and fewer pictures judge worse
)
