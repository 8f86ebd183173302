//go:build unix

package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// fileSizeLimit in the environment of a started program bounds the bytes of
// every file it writes: a write beyond fails, as on a full disk.
const fileSizeLimit = "TEST_FILE_SIZE_LIMIT"

func limitChild() error {
	text := os.Getenv(fileSizeLimit)
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

// Every file is bounded as if the disk were full, for the catalog or for a
// picture; what was there stays.
func TestAFullDiskIsToldAndNothingIsLost(t *testing.T) {
	folder, pictures := t.TempDir(), museumPictures(t, 3)
	mustRun(t, "import", "--data", folder, filepath.Join(pictures, "0.jpg"))
	large := filepath.Join(t.TempDir(), "large.png")
	writeFile(t, large, noise(t, 800, 800))
	for _, c := range []struct {
		name  string
		bytes int
		path  string
	}{{"catalog", 1000, pictures}, {"picture", 1 << 20, large}} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"import", "--data", folder, c.path}
			r := startWith(t, []string{fmt.Sprintf("%s=%d", fileSizeLimit, c.bytes)}, args...).wait()
			mustBeOneLine(t, r, exitFailed, []string{"full", folder}, args...)
			seen := lookInto(t, folder)
			seen.mustHaveFileOfEveryRow(t)
			seen.mustHaveRowOfEveryFile(t)
			if len(seen.images) != 1 || len(seen.unfinished) != 0 {
				t.Errorf("got %d images and %v left unfinished, want the one of before", len(seen.images), seen.unfinished)
			}
		})
	}
	mustRun(t, "import", "--data", folder, pictures, large) // there is space again
	if got := len(lookInto(t, folder).images); got != 4 {
		t.Errorf("got %d images with space again, want 4", got)
	}
}

// noise is a PNG that can't be compressed.
func noise(t *testing.T, width, height int) []byte {
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
