//go:build linux || darwin

package ingest

import "syscall"

// FreeSpace tells how many bytes this user can still write to the disk of a
// folder, and whether that is known.
func FreeSpace(folder string) (bytes uint64, known bool) {
	var stat syscall.Statfs_t
	if syscall.Statfs(folder, &stat) != nil {
		return 0, false
	}
	return stat.Bavail * uint64(stat.Bsize), true
}
