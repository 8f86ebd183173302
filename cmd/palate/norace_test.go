//go:build !race

package main

import "time"

// What the demo does by itself, and what it promises.
const (
	raceEnabled  = false
	demoPictures = 420
	demoRated    = 120
	visitors     = 10
	startUp      = 0 * time.Millisecond // until a started program works
	wantAUC      = .9
)
