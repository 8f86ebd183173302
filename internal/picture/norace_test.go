//go:build !race

package picture_test

// See race_test.go.
const (
	picturesOfHashes = 10
	roundsOfBudget   = 3
)
