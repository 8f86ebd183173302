//go:build !race

package api_test

import "testing"

// longRace is for runs with the race detector.
func longRace(*testing.T) {}
