//go:build race

package indextest

// slow: the race detector makes scans several times slower.
const slow = true
