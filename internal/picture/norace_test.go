//go:build !race

package picture_test

import "testing"

// See race_test.go.
func longRace(*testing.T) {}

const (
	picturesOfHashes = 10
	roundsOfBudget   = 3
)
