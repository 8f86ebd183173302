//go:build race

package api_test

import (
	"os"
	"testing"
)

// longRace leaves a test that drives a browser to the run that asks for it.
func longRace(t *testing.T) {
	t.Helper()
	if os.Getenv("PALATE_TEST_LONG_RACE") == "" {
		t.Skip("opt-in: with the race detector the page is slow; PALATE_TEST_LONG_RACE=1 runs it")
	}
}
