//go:build !race

package program

import "time"

// What the demo does by itself, and what it promises.
const (
	DemoPictures = 420
	DemoRated    = 120
	Visitors     = 10
	StartUp      = 0 * time.Millisecond // until a started program works
	WantAUC      = .9
)
