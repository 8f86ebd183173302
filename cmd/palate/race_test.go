//go:build race

package main

import (
	"os"
	"testing"
	"time"
)

// The race detector makes drawing, decoding and resizing several times
// slower; the same is tested on fewer pictures and visitors.
// longRace leaves a test whose processes, demos or visitors take minutes under
// the race detector to the run that asks for it.
func longRace(t *testing.T) {
	t.Helper()
	if os.Getenv("PALATE_TEST_LONG_RACE") == "" {
		t.Skip("opt-in: with the race detector it takes minutes; PALATE_TEST_LONG_RACE=1 runs it")
	}
}

const (
	raceEnabled  = true
	demoPictures = 160
	demoRated    = 90
	visitors     = 3
	startUp      = 300 * time.Millisecond // until a started program works
	wantAUC      = .75                    // fewer ratings teach less, and fewer pictures judge worse
)
