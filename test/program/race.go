//go:build race

package program

import (
	"os"
	"testing"
	"time"
)

// longRace is read before the tests' own environment takes its place.
var longRace = os.Getenv("PALATE_TEST_LONG_RACE") != ""

// LongRace leaves a test whose processes, demos or visitors take minutes under
// the race detector to the run that asks for it.
func LongRace(t *testing.T) {
	t.Helper()
	if !longRace {
		t.Skip("opt-in: with the race detector it takes minutes; PALATE_TEST_LONG_RACE=1 runs it")
	}
}

// The race detector makes drawing, decoding and resizing several times
// slower; the same is tested on fewer pictures and visitors.
const (
	RaceEnabled  = true
	DemoPictures = 160
	DemoRated    = 90
	Visitors     = 3
	StartUp      = 300 * time.Millisecond // until a started program works
	WantAUC      = .75                    // fewer ratings teach less, and fewer pictures judge worse
)
