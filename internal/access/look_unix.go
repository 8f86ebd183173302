//go:build unix

package access

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// isOurs reports whether a file belongs to this user. To root, every file
// is as good as its own.
func isOurs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || os.Geteuid() == 0 || int(stat.Uid) == os.Geteuid()
}

// may reports whether this user may read a file, or write it; a folder is
// entered for both.
func may(path string, info fs.FileInfo, write bool) bool {
	want := uint32(unix.R_OK)
	if write {
		want = unix.W_OK
	}
	if info.IsDir() {
		want |= unix.X_OK
	}
	return unix.Faccessat(unix.AT_FDCWD, path, want, unix.AT_EACCESS) == nil
}
