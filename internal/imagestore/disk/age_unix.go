//go:build linux || darwin

package disk

import (
	"io/fs"
	"os"
	"syscall"
	"time"
)

// arrivedAt is when a file came to its name in the store, or was renewed: the
// time of the last change of its inode. The time of modification would not
// do, as a hard link has that of the original.
func arrivedAt(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return changedAt(stat)
	}
	return info.ModTime()
}

// renew makes a file count as just arrived without changing it: setting the
// mode it has changes the inode alone. It fails on the files of another user,
// which then stay as old as they are.
func renew(path string, info fs.FileInfo) { _ = os.Chmod(path, info.Mode().Perm()) }
