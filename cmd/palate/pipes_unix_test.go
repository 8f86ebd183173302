//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/palate-art/palate"
)

// aPipe makes a named pipe that nobody writes to.
func aPipe(t *testing.T, elements ...string) string {
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

// Wherever a command takes a file, a named pipe in its place ends the command
// at once, with what it is and no word for the kind of error.
func TestFaultANamedPipeInPlaceOfAFile(t *testing.T) {
	folder, home := t.TempDir(), t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	writeFile(t, in("described/model.onnx"), []byte("x"))
	aPipe(t, in("described/model.json"))
	writeFile(t, in("configured/model.safetensors"), readFile(t, tinyModel))
	aPipe(t, in("configured/config.json"))
	for name, args := range map[string][]string{
		"import":                   {"import", aPipe(t, folder, "picture.png")},
		"import, metadata.csv":     {"import", filepath.Dir(aPipe(t, folder, "a", "metadata.csv"))},
		"import, metadata.json":    {"import", filepath.Dir(aPipe(t, folder, "b", "metadata.json"))},
		"evaluate, npy":            {"evaluate", "--features", aPipe(t, folder, "x.npy")},
		"evaluate, npz":            {"evaluate", "--features", aPipe(t, folder, "x.npz")},
		"evaluate, parquet":        {"evaluate", "--features", aPipe(t, folder, "x.parquet")},
		"model add, safetensors":   {"model", "add", "m1", aPipe(t, folder, "m.safetensors")},
		"model add, onnx":          {"model", "add", "m2", aPipe(t, folder, "m.onnx")},
		"model add, description":   {"model", "add", "m3", in("described/model.onnx")},
		"model add, config.json":   {"model", "add", "m4", in("configured/model.safetensors")},
		"--config":                 {"version", "--config", aPipe(t, folder, "config.json")},
		"probe import":             {"probe", "import", aPipe(t, folder, "taste.palate")},
		"crawl --input":            {"crawl", "--contact", "me@example.org", "--input", aPipe(t, folder, "list")},
		"--index with ca=":         {"scores", "--index", "qdrant://localhost/palate?tls=true&ca=" + aPipe(t, folder, "ca.pem")},
		"embed":                    {"embed", aPipe(t, folder, "embed.png")},
		"similar":                  {"similar", aPipe(t, folder, "similar.png")},
		"import, a link to a pipe": {"import", linkTo(t, aPipe(t, folder, "linked"), in("link.png"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startFaulty(t, append(args, "--data", filepath.Join(home, strings.ReplaceAll(name, " ", "-")))...).wait()
			if r.code == exitDone || !strings.Contains(r.err, "a named pipe") {
				t.Errorf("got exit code %d and %q, want a failure that says it is a named pipe", r.code, r.err)
			}
			if strings.Contains(r.err, ": invalid") || strings.Contains(r.err, "invalid:") {
				t.Errorf("the error shows its kind: %q", r.err)
			}
		})
	}
}

func linkTo(t *testing.T, target, name string) string {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// sort neither reads a pipe that stands where a picture was, nor one that has
// the name which the copy should have.
func TestSortReadsNoNamedPipe(t *testing.T) {
	folder := t.TempDir()
	picture := filepath.Join(folder, "picture.png")
	writeFile(t, picture, []byte("content"))
	for name, paths := range map[string][2]string{
		"source": {aPipe(t, folder, "in", "a.png"), filepath.Join(folder, "out", "a.png")},
		"target": {picture, aPipe(t, folder, "liked", "picture.png")},
	} {
		done := make(chan error, 1)
		go func() {
			_, err := transfer(paths[0], paths[1], "copy")
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("%s: got %v, want palate.ErrInvalid", name, err)
			}
		case <-time.After(patience):
			t.Fatalf("%s: transfer waits for a named pipe", name)
		}
	}
}

// A command that was given a named pipe has ended by itself, or one signal
// ends it.
func TestFaultANamedPipeAndATermSignal(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"embed", "scores", "similar"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := startFaulty(t, command, aPipe(t, t.TempDir(), "picture.png"), "--data", oldCollection(t))
			select {
			case <-p.ended:
				return
			case <-time.After(6 * time.Second): // it waits for whoever writes
			}
			_ = p.command.Process.Signal(syscall.SIGTERM) // it may just have ended
			select {
			case <-p.ended:
			case <-time.After(5 * time.Second):
				t.Errorf("palate %s of a named pipe goes on 5 s after SIGTERM", command)
			}
		})
	}
}

// A command that waits for something that no first signal reaches, here its
// standard input, is ended by the second.
func TestFaultASecondTermSignalAlwaysEnds(t *testing.T) {
	input, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	defer input.Close()
	p := startReading(t, input, "crawl", "--contact", "me@example.org", "--input", "-", "--data", t.TempDir())
	// What is more than a pipe holds has gone only if the command reads.
	if err := writer.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(writer, strings.Repeat("# nothing\n", 40_000)); err != nil {
		t.Fatalf("%v: %s", err, p.errOut.String())
	}
	term := func() {
		if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	term()
	select {
	case <-p.ended:
		t.Fatalf("the first signal ended it (%q): find something else that it can't end", p.errOut.String())
	case <-time.After(300 * time.Millisecond):
	}
	term()
	begun := time.Now()
	r := p.wait()
	if r.code != exitFailed || !strings.Contains(r.err, "interrupted a second time") {
		t.Errorf("got exit code %d and %q, want %d and that it was interrupted twice", r.code, r.err, exitFailed)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("ended %v after the second signal, want 5 s at most", took)
	}
}

// A pipe that nobody writes to is refused as a file of cookies; waiting for it
// would never end.
func TestAPipeIsNoFileOfCookies(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "cookies.txt")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	r := runPalate(t, "crawl", "https://gallery.example/", "--contact", "me@example.org", "--cookies", pipe, "--data", t.TempDir())
	if r.code != exitUsage || !strings.Contains(r.err, pipe) {
		t.Errorf("code %d, %s", r.code, r.err)
	}
}
