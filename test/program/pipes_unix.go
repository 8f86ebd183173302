//go:build unix

package program

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// NamedPipe makes a named pipe that nobody writes to.
func NamedPipe(t *testing.T, elements ...string) string {
	t.Helper()
	path := filepath.Join(elements...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
