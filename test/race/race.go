//go:build race

package race

import (
	"os"
	"testing"
)

// Enabled says whether the tests run with the race detector.
const Enabled = true

// long is read before the tests' own environment takes its place.
var long = os.Getenv("PALATE_TEST_LONG_RACE") != ""

// Long leaves a test to the run that asks for it: one whose processes, demos or
// visitors take minutes under the race detector, or which mostly computes.
func Long(t *testing.T) {
	t.Helper()
	if !long {
		t.Skip("opt-in: with the race detector it takes long; PALATE_TEST_LONG_RACE=1 runs it")
	}
}
