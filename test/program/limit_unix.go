//go:build unix

package program

import (
	"bytes"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
)

// FileSizeLimit in the environment of a started program bounds the bytes of
// every file it writes: a write beyond fails, as on a full disk.
const FileSizeLimit = "TEST_FILE_SIZE_LIMIT"

func limitChild() error {
	text := os.Getenv(FileSizeLimit)
	if text == "" {
		return nil
	}
	bytes, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes})
}

// Noise is a PNG that can't be compressed.
func Noise(t *testing.T, width, height int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	random := rand.NewChaCha8([32]byte{1})
	if _, err := random.Read(m.Pix); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	var content bytes.Buffer
	if err := png.Encode(&content, m); err != nil {
		t.Fatal(err)
	}
	return content.Bytes()
}
