//go:build !race

package taste_test

import "testing"

// See race_test.go.
func longRace(*testing.T) {}
