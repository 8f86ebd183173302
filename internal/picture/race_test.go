//go:build race

package picture_test

import (
	"os"
	"testing"
)

// longRace leaves a test that mostly computes to the run that asks for it.
func longRace(t *testing.T) {
	t.Helper()
	if os.Getenv("PALATE_TEST_LONG_RACE") == "" {
		t.Skip("opt-in: computing takes ten times as long with the race detector; PALATE_TEST_LONG_RACE=1 runs it")
	}
}

// What the tests compute over and over is done less often here.
const (
	picturesOfHashes = 3
	roundsOfBudget   = 1
)
