//go:build !race

package race

import "testing"

// Enabled says whether the tests run with the race detector.
const Enabled = false

// Long is for runs with the race detector.
func Long(*testing.T) {}
