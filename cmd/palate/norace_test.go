//go:build !race

package main

import (
	"testing"
	"time"
)

// longRace is for runs with the race detector.
func longRace(*testing.T) {}

// What the demo does by itself, and what it promises.
const (
	raceEnabled  = false
	demoPictures = 420
	demoRated    = 120
	visitors     = 10
	startUp      = 0 * time.Millisecond // until a started program works
	wantAUC      = .9
)
