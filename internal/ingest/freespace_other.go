//go:build !linux && !darwin

package ingest

// FreeSpace tells how many bytes this user can still write to the disk of a
// folder, and whether that is known: not here.
func FreeSpace(string) (bytes uint64, known bool) { return 0, false }
