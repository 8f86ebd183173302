//go:build !linux

package tuning

// usedMemory is not known here.
func usedMemory() (now, peak int64) { return 0, 0 }

// availableMemory is not known here.
func availableMemory() int64 { return 0 }
