//go:build linux || darwin

package disk_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore/disk"
)

// The environment that makes the test binary a writer to the store at the
// value of storeVariable; every file that it writes is bounded by limitVariable.
const (
	storeVariable = "TEST_IMAGE_STORE"
	limitVariable = "TEST_FILE_SIZE_LIMIT"
)

func TestMain(m *testing.M) {
	if root := os.Getenv(storeVariable); root != "" {
		if err := putForEver(root); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// putForEver is the child: it puts one file after the other and prints the id
// of each once it is durable. The first arrives in two halves, with a line
// printed between.
func putForEver(root string) error {
	if text := os.Getenv(limitVariable); text != "" {
		limit, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return err
		}
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	s, err := disk.Open(root)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		file := numbered(n)
		halves := io.MultiReader(bytes.NewReader(file[:len(file)/2]), &teller{n}, bytes.NewReader(file[len(file)/2:]))
		stored, err := s.Put(context.Background(), halves, 1<<22)
		if err != nil {
			if !errors.Is(err, palate.ErrUnavailable) {
				return fmt.Errorf("want ErrUnavailable: %w", err)
			}
			return err
		}
		fmt.Println(stored.ID)
	}
}

// teller prints "half" in the middle of the first file.
type teller struct{ n int }

func (r *teller) Read([]byte) (int, error) {
	if r.n == 0 {
		fmt.Println("half")
	}
	return 0, io.EOF
}

// numbered is the n-th file, of some hundred KB, so that writing takes its time.
func numbered(n int) []byte {
	file := make([]byte, 200_000+n%7*50_000)
	random := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	_, _ = random.Read(file) // never fails
	return file
}

func startChild(t *testing.T, root string, environment ...string) (*exec.Cmd, *bufio.Scanner, *strings.Builder) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), storeVariable+"="+root), environment...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	return cmd, bufio.NewScanner(out), &stderr
}

// Killed at any moment, between writing and renaming too, a writer leaves
// whole files under their names, every file that it had acknowledged among
// them, and otherwise what a sweep removes.
func TestAKilledWriterLeavesWholeFiles(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	random := rand.New(rand.NewPCG(7, 8))
	unfinished := 0
	for round := range 8 {
		child, lines, stderr := startChild(t, root)
		acknowledged := map[string]bool{}
		for wait := random.IntN(6) + round%2; lines.Scan() && wait > 0; wait-- {
			if line := lines.Text(); line != "half" {
				acknowledged[line] = true
			}
		}
		for until := time.Now().Add(time.Duration(random.IntN(3000)) * time.Microsecond); time.Now().Before(until); {
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatalf("%v: %s", err, stderr)
		}
		for lines.Scan() { // what it printed before it was killed
			acknowledged[lines.Text()] = true
		}
		_ = child.Wait() // it was killed
		left, err := os.ReadDir(filepath.Join(root, "tmp"))
		if err != nil {
			t.Fatal(err)
		}
		unfinished += len(left)
		if _, err := s.Sweep(t.Context(), anyAge, fates(func(id palate.ImageID) bool { return acknowledged[id.String()] })); err != nil {
			t.Fatal(err)
		}
		delete(acknowledged, "half")
		err = s.Walk(t.Context(), func(id palate.ImageID) error {
			file, err := read(t, s, id)
			if err != nil {
				return err
			}
			if palate.NewImageID(sha256.Sum256(file)) != id {
				t.Errorf("file %s holds %d bytes of something else", id, len(file))
			}
			delete(acknowledged, id.String())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(acknowledged) > 0 {
			t.Errorf("acknowledged and gone: %v", acknowledged)
		}
		if left, err = os.ReadDir(filepath.Join(root, "tmp")); err != nil || len(left) != 0 {
			t.Errorf("after a sweep: got %d unfinished files and %v, want none", len(left), err)
		}
		// The next round begins anew.
		if _, err := s.Sweep(t.Context(), anyAge, fates(func(palate.ImageID) bool { return false })); err != nil {
			t.Fatal(err)
		}
	}
	if unfinished == 0 {
		t.Error("no kill came while a file was being written: the test shows nothing")
	}
}

// A bound on the size of every file is what a full disk is to a writer.
func TestAFullDiskIsToldAndLeavesNothing(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	id := put(t, s, picture).ID
	child, lines, stderr := startChild(t, root, limitVariable+"=150000")
	for lines.Scan() {
	}
	err := child.Wait()
	if err == nil || !strings.Contains(stderr.String(), "full") || !strings.Contains(stderr.String(), "free some space") ||
		!strings.Contains(stderr.String(), root) || strings.Contains(stderr.String(), "want ErrUnavailable") {
		t.Errorf("got %v and %q, want that the disk is full and what to do", err, stderr)
	}
	left, err := os.ReadDir(filepath.Join(root, "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("got %d unfinished files and %v, want none", len(left), err)
	}
	err = s.Walk(t.Context(), func(walked palate.ImageID) error {
		if walked != id {
			t.Errorf("got image %s, want the one of before alone", walked)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
