//go:build unix

package access

import (
	"io/fs"
	"syscall"
)

// hasSecondName reports whether a file lies under another name too.
func hasSecondName(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && !info.IsDir() && stat.Nlink > 1
}
