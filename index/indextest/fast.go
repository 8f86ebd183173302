//go:build !race

package indextest

const slow = false
