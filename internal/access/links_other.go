//go:build !unix

package access

import "io/fs"

func hasSecondName(fs.FileInfo) bool { return false }
