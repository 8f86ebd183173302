//go:build unix

package hub_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/hub"
)

// The test binary downloads one file and ends if it is asked to, so that tests
// can start real processes and kill them.
const (
	childEndpoint = "TEST_HUB_ENDPOINT"
	childCache    = "TEST_HUB_CACHE"
	childSHA256   = "TEST_HUB_SHA256"
	childMaxBytes = "TEST_HUB_FILE_SIZE_LIMIT"
)

func TestMain(m *testing.M) {
	if endpoint := os.Getenv(childEndpoint); endpoint != "" {
		if err := downloadAsChild(endpoint); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func downloadAsChild(endpoint string) error {
	if text := os.Getenv(childMaxBytes); text != "" {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return err
		}
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	c := hub.DefaultConfig()
	c.Endpoint, c.CacheDir = endpoint, os.Getenv(childCache)
	client, err := hub.New(c)
	if err != nil {
		return err
	}
	_, err = client.Fetch(context.Background(), hub.File{Repository: repository, Revision: commit, Path: fileName, SHA256: os.Getenv(childSHA256)})
	return err
}

func child(t *testing.T, s *site, c hub.Config, sum string, more ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(append(os.Environ(), childEndpoint+"="+s.hub.URL, childCache+"="+c.CacheDir, childSHA256+"="+sum,
		"GORACE=atexit_sleep_ms=0"), more...)
	return command
}

func TestTheDownloadOfAKilledProcessGoesOn(t *testing.T) {
	content := randomBytes(1 << 20)
	s := newSite(t, content)
	const sent = 600_000
	begun := s.hold(sent)
	c := config(t, s)
	command := child(t, s, c, sumOf(content))
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	partial := filepath.Join(c.CacheDir, "models--org--vit_tiny.art", "blobs", sumOf(content)+".incomplete")
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		if info, err := os.Stat(partial); err == nil && info.Size() >= sent/2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("half of what was sent is not written after a minute")
		}
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := command.Wait(); !errors.As(err, &exit) {
		t.Fatalf("got %v, want it killed", err)
	}
	s.set(func(b *behaviour) { b.cut = 0 })
	local, err := open(t, c).Fetch(t.Context(), pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, c, local, content)
	gets := s.gets()
	last := gets[len(gets)-1]
	from, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(last.rangeHeader, "bytes="), "-"))
	if len(gets) != 2 || err != nil || from < sent/2 || from > sent {
		t.Errorf("got %d requests, the last with range %q; want it to go on after what came", len(gets), last.rangeHeader)
	}
}

func TestTwoProcessesDownloadOnce(t *testing.T) {
	content := randomBytes(1 << 20)
	s := newSite(t, content)
	c := config(t, s)
	first, second := child(t, s, c, sumOf(content)), child(t, s, c, sumOf(content))
	for _, command := range []*exec.Cmd{first, second} {
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(first.Wait(), second.Wait()); err != nil {
		t.Fatal(err)
	}
	local, err := open(t, c).Find(pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, c, local, content)
	if got := len(s.gets()); got != 1 {
		t.Errorf("downloaded %d times, want once", got)
	}
}

// The size of files is limited, so that a write fails as on a full disk.
func TestAFullDiskIsToldAndWhatCameIsUsedLater(t *testing.T) {
	content := randomBytes(1 << 20)
	s := newSite(t, content)
	c := config(t, s)
	out, err := child(t, s, c, sumOf(content), childMaxBytes+"=700000").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "too large") || !strings.Contains(string(out), "kept") {
		t.Errorf("got %v: %s", err, out)
	}
	if got := len(s.gets()); got != 1 {
		t.Errorf("asked %d times for bytes that there is no room for", got)
	}
	local, err := open(t, c).Fetch(t.Context(), pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, c, local, content)
	if gets := s.gets(); gets[len(gets)-1].rangeHeader == "" {
		t.Error("began again, want it to go on")
	}
}
