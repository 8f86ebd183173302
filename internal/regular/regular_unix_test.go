//go:build unix

package regular_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
)

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(in("file"), []byte("content"), 0o600))
	must(syscall.Mkfifo(in("pipe"), 0o600))
	must(os.Symlink(in("file"), in("link")))
	must(os.Symlink(in("pipe"), in("link to a pipe")))
	// A socket's path may be about a hundred bytes long.
	short, err := os.MkdirTemp("", "s")
	must(err)
	defer os.RemoveAll(short)
	listener, err := net.Listen("unix", filepath.Join(short, "s"))
	must(err)
	defer listener.Close()
	for path, want := range map[string]string{
		in("file"): "", in("link"): "", in("pipe"): "a named pipe", in("link to a pipe"): "a named pipe",
		folder: "a folder", filepath.Join(short, "s"): "a socket", "/dev/null": "a device", "/dev/zero": "a device",
	} {
		content, err := regular.ReadFile(path, 100)
		switch {
		case want == "" && (err != nil || string(content) != "content"):
			t.Errorf("%s: got %q and %v", path, content, err)
		case want != "" && (!errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), path+" is "+want)):
			t.Errorf("%s: got %v, want that it is %s", path, err, want)
		}
	}
	if _, err := regular.ReadFile(in("file"), 6); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a file of 7 bytes where 6 are allowed: got %v", err)
	}
	if _, err := regular.ReadFile(in("file"), 7); err != nil {
		t.Errorf("a file of 7 bytes where 7 are allowed: got %v", err)
	}
	if _, err := regular.Open(in("nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it is not there", err)
	}
}
