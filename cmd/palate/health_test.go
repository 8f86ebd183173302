package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/palate-art/palate/internal/collection"
)

// A server whose index is away lives, and says that it is not ready; one that
// is gone is neither.
func TestHealthTellsLivingFromReady(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	well := startServer(t, "--data", folder)
	mustRun(t, "health", "--addr", strings.TrimPrefix(well.url, "http://"))
	ready := jsonRun[struct{ Status string }](t, "health", "--ready", "--addr", strings.TrimPrefix(well.url, "http://"))
	if ready.Status != "ok" {
		t.Errorf("got %+v", ready)
	}
	well.interrupt()
	mustFail(t, exitFailed, []string{"no answer"}, "health", "--addr", strings.TrimPrefix(well.url, "http://"))

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	without := startServer(t, "--data", folder, "--index", "qdrant://"+away+"/palate")
	mustRun(t, "health", "--addr", strings.TrimPrefix(without.url, "http://"))
	mustFail(t, exitFailed, []string{"not ready", "index"}, "health", "--ready", "--addr", strings.TrimPrefix(without.url, "http://"))
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/v1/health": 503} {
		if got := getStatus(t, without.url+path); got != want {
			t.Errorf("GET %s: got %d, want %d", path, got, want)
		}
	}
}

func getStatus(t *testing.T, address string) int {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestTheServersAddressIsAskedOnLoopback(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:7252": "127.0.0.1:7252", "0.0.0.0:7252": "127.0.0.1:7252", ":7252": "127.0.0.1:7252",
		"[::]:80": "[::1]:80", "palate:7252": "palate:7252", "nonsense": "nonsense",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}

// doctor names a damaged file without printing what is in it, and does not
// send people to doctor.
func TestDoctorPrintsNoBytesOfDamagedFiles(t *testing.T) {
	t.Parallel()
	damage := []byte("\x1b]0;pwned\x07\xff\xfe\x00\x9b31m broken \x05")
	for name, damaged := range map[string][]string{
		"catalog": {collection.CatalogFile}, "store": {"images", "palate-images"}, "seen": {"images", "palate-seen"}, "mark": {"images", "palate-mark.json"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			mustRun(t, "import", museumPictures(t, 1), "--data", folder)
			path := filepath.Join(append([]string{folder}, damaged...)...)
			content := damage
			if name == "catalog" {
				var err error
				if content, err = os.ReadFile(path); err != nil {
					t.Fatal(err)
				}
				for i := 16 << 10; i < len(content); i++ {
					content[i] ^= 0x5b
				}
			}
			writeFile(t, path, content)
			r := runPalate(t, "doctor", "--data", folder)
			if r.code != exitFailed || !strings.Contains(r.out, "PROBLEM") {
				t.Errorf("got %d and %q, want a problem", r.code, r.out)
			}
			_, problem, _ := strings.Cut(r.out, "PROBLEM")
			if strings.Contains(problem, `\x`) || strings.Contains(problem, "palate doctor") ||
				strings.ContainsFunc(problem, func(c rune) bool { return c != '\n' && !unicode.IsPrint(c) }) {
				t.Errorf("got %q, want plain words and no advice to run doctor", problem)
			}
		})
	}
}
