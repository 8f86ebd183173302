//go:build !race

package program

import (
	"testing"
	"time"
)

// LongRace is for runs with the race detector.
func LongRace(*testing.T) {}

// What the demo does by itself, and what it promises.
const (
	RaceEnabled  = false
	DemoPictures = 420
	DemoRated    = 120
	Visitors     = 10
	StartUp      = 0 * time.Millisecond // until a started program works
	WantAUC      = .9
)
