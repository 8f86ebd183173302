//go:build unix

package regular

import "syscall"

// nonBlocking keeps an open of a pipe, which took the place of a file a moment
// ago, from waiting for a writer. It changes nothing for regular files.
const nonBlocking = syscall.O_NONBLOCK
