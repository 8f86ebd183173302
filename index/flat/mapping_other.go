//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package flat

import (
	"io"
	"os"
)

// mapping is a file in memory, read whole where it can't be mapped.
type mapping struct{ bytes []byte }

func mapFile(f *os.File, size int64) (*mapping, error) {
	m := &mapping{make([]byte, size)}
	_, err := io.ReadFull(f, m.bytes)
	return m, err
}
