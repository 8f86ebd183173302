package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
)

// A server whose index is away lives, and says that it is not ready; one that
// is gone is neither.
func TestHealthTellsLivingFromReady(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	well := program.StartServer(t, "--data", folder)
	program.MustRun(t, "health", "--addr", strings.TrimPrefix(well.URL, "http://"))
	ready := program.JSONRun[struct{ Status string }](t, "health", "--ready", "--addr", strings.TrimPrefix(well.URL, "http://"))
	if ready.Status != "ok" {
		t.Errorf("got %+v", ready)
	}
	well.Interrupt()
	program.MustFail(t, exitFailed, []string{"no answer"}, "health", "--addr", strings.TrimPrefix(well.URL, "http://"))

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	without := program.StartServer(t, "--data", folder, "--index", "qdrant://"+away+"/palate")
	program.MustRun(t, "health", "--addr", strings.TrimPrefix(without.URL, "http://"))
	program.MustFail(t, exitFailed, []string{"not ready", "index"}, "health", "--ready", "--addr", strings.TrimPrefix(without.URL, "http://"))
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/v1/health": 503} {
		if got := program.GetStatus(t, without.URL+path); got != want {
			t.Errorf("GET %s: got %d, want %d", path, got, want)
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
			program.MustRun(t, "import", program.MuseumPictures(t, 1), "--data", folder)
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
			program.WriteFile(t, path, content)
			r := program.RunPalate(t, "doctor", "--data", folder)
			if r.Code != exitFailed || !strings.Contains(r.Out, "PROBLEM") {
				t.Errorf("got %d and %q, want a problem", r.Code, r.Out)
			}
			_, problem, _ := strings.Cut(r.Out, "PROBLEM")
			if strings.Contains(problem, `\x`) || strings.Contains(problem, "palate doctor") ||
				strings.ContainsFunc(problem, func(c rune) bool { return c != '\n' && !unicode.IsPrint(c) }) {
				t.Errorf("got %q, want plain words and no advice to run doctor", problem)
			}
		})
	}
}
