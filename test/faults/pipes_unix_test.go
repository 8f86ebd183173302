//go:build unix

package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/palate-art/palate/test/program"
)

// Wherever a command takes a file, a named pipe in its place ends the command
// at once, with what it is and no word for the kind of error.
func TestFaultANamedPipeInPlaceOfAFile(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	program.WriteFile(t, in("described/model.onnx"), []byte("x"))
	program.NamedPipe(t, in("described/model.json"))
	program.WriteFile(t, in("configured/model.safetensors"), program.ReadFile(t, program.TinyModel))
	program.NamedPipe(t, in("configured/config.json"))
	for name, args := range map[string][]string{
		"import":                   {"import", program.NamedPipe(t, folder, "picture.png")},
		"import, metadata.csv":     {"import", filepath.Dir(program.NamedPipe(t, folder, "a", "metadata.csv"))},
		"import, metadata.json":    {"import", filepath.Dir(program.NamedPipe(t, folder, "b", "metadata.json"))},
		"evaluate, npy":            {"evaluate", "--features", program.NamedPipe(t, folder, "x.npy")},
		"evaluate, npz":            {"evaluate", "--features", program.NamedPipe(t, folder, "x.npz")},
		"evaluate, parquet":        {"evaluate", "--features", program.NamedPipe(t, folder, "x.parquet")},
		"model add, safetensors":   {"model", "add", "m1", program.NamedPipe(t, folder, "m.safetensors")},
		"model add, onnx":          {"model", "add", "m2", program.NamedPipe(t, folder, "m.onnx")},
		"model add, description":   {"model", "add", "m3", in("described/model.onnx")},
		"model add, config.json":   {"model", "add", "m4", in("configured/model.safetensors")},
		"--config":                 {"version", "--config", program.NamedPipe(t, folder, "config.json")},
		"probe import":             {"probe", "import", program.NamedPipe(t, folder, "taste.palate")},
		"crawl --input":            {"crawl", "--contact", "me@example.org", "--input", program.NamedPipe(t, folder, "list")},
		"--index with ca=":         {"scores", "--index", "qdrant://localhost/palate?tls=true&ca=" + program.NamedPipe(t, folder, "ca.pem")},
		"embed":                    {"embed", program.NamedPipe(t, folder, "embed.png")},
		"similar":                  {"similar", program.NamedPipe(t, folder, "similar.png")},
		"import, a link to a pipe": {"import", linkTo(t, program.NamedPipe(t, folder, "linked"), in("link.png"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := program.StartFaulty(t, append(args, "--data", program.EmptyHome(t))...).Wait()
			if r.Code == program.ExitDone || !strings.Contains(r.Err, "a named pipe") {
				t.Errorf("got exit code %d and %q, want a failure that says it is a named pipe", r.Code, r.Err)
			}
			if strings.Contains(r.Err, ": invalid") || strings.Contains(r.Err, "invalid:") {
				t.Errorf("the error shows its kind: %q", r.Err)
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

// A command that was given a named pipe has ended by itself, or one signal
// ends it.
func TestFaultANamedPipeAndATermSignal(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"embed", "scores", "similar"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := program.StartFaulty(t, command, program.NamedPipe(t, t.TempDir(), "picture.png"), "--data", oldCollection(t))
			select {
			case <-p.Ended:
				return
			case <-time.After(6 * time.Second): // it waits for whoever writes
			}
			_ = p.Command.Process.Signal(syscall.SIGTERM) // it may just have ended
			select {
			case <-p.Ended:
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
	p := program.StartReading(t, input, "crawl", "--contact", "me@example.org", "--input", "-", "--data", t.TempDir())
	// What is more than a pipe holds has gone only if the command reads.
	if err := writer.SetWriteDeadline(time.Now().Add(program.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(writer, strings.Repeat("# nothing\n", 40_000)); err != nil {
		t.Fatalf("%v: %s", err, p.ErrOut.String())
	}
	term := func() {
		if err := p.Command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	term()
	select {
	case <-p.Ended:
		t.Fatalf("the first signal ended it (%q): find something else that it can't end", p.ErrOut.String())
	case <-time.After(300 * time.Millisecond):
	}
	term()
	begun := time.Now()
	r := p.Wait()
	if r.Code != program.ExitInterrupted || !strings.Contains(r.Err, "interrupted a second time") {
		t.Errorf("got exit code %d and %q, want %d and that it was interrupted twice", r.Code, r.Err, program.ExitInterrupted)
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
	r := program.RunPalate(t, "crawl", "https://gallery.example/", "--contact", "me@example.org", "--cookies", pipe, "--data", t.TempDir())
	if r.Code != program.ExitUsage || !strings.Contains(r.Err, pipe) {
		t.Errorf("code %d, %s", r.Code, r.Err)
	}
}
