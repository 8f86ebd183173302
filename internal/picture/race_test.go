//go:build race

package picture_test

// What the tests compute over and over is done less often here.
const (
	picturesOfHashes = 3
	roundsOfBudget   = 1
)
