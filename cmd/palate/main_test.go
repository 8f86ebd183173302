package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
)

// runAsPalate in the environment makes the test binary the program itself, so
// that tests can start real processes of it and kill them.
const runAsPalate = "RUN_TEST_BINARY_AS_PALATE"

// patience is how long a test waits for what must happen. A former release
// hangs for as long: PALATE_FAULTS_PATIENCE makes it shorter.
var patience = 2 * time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(runAsPalate) != "" {
		if err := errors.Join(becomeWithoutRights(), limitChild()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitUsage)
		}
		main()
	}
	if text := os.Getenv("PALATE_FAULTS_PATIENCE"); text != "" {
		var err error
		if patience, err = time.ParseDuration(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitUsage)
		}
	}
	os.Exit(runTests(m))
}

// sharedFolder holds what several tests use; it goes when all have ended.
var sharedFolder string

// runTests keeps the tests away from whoever's machine this is: home,
// configuration and collection are temporary, no weights are looked for or
// fetched. Only the runtime that was fetched before is used again.
func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "palate-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	sharedFolder = folder
	runtime := ort.ConfigFromEnv()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "PALATE_") || strings.HasPrefix(name, "HF_") {
			os.Unsetenv(name)
		}
	}
	environment := map[string]string{
		"HOME": folder, "XDG_DATA_HOME": filepath.Join(folder, "data"), "XDG_CONFIG_HOME": filepath.Join(folder, "config"),
		"PALATE_ORT_LIBRARY": runtime.LibraryPath,
		"PALATE_MODEL":       models.Baseline,
		"HF_HOME":            filepath.Join(folder, "huggingface"), "HF_HUB_OFFLINE": "1",
		// Under the race detector every program that ends sleeps for a
		// second first; the ones started here have nothing to wait for.
		"GORACE": os.Getenv("GORACE") + " atexit_sleep_ms=0",
	}
	if runtime.CacheDir != "" { // ROOT/onnxruntime/VERSION
		environment["PALATE_CACHE"] = filepath.Dir(filepath.Dir(runtime.CacheDir))
	}
	if len(runtime.ModuleCacheDirs) > 0 {
		environment["GOMODCACHE"] = runtime.ModuleCacheDirs[0]
	}
	if runtime.Offline {
		environment["PALATE_OFFLINE"] = "true"
	}
	for name, value := range environment {
		if value == "" {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// result is what a command gave.
type result struct {
	code     int
	out, err string
}

// palate runs a command in this process.
func runPalate(t *testing.T, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	code := run(ctx, args, &out, &errOut)
	return result{code, out.String(), errOut.String()}
}

// mustRun runs a command that has to succeed, and returns its output.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	r := runPalate(t, args...)
	if r.code != exitDone {
		t.Fatalf("palate %s: got exit code %d, want %d: %s", strings.Join(args, " "), r.code, exitDone, r.err)
	}
	return r.out
}

// jsonRun runs a command with --json and parses the only value it prints.
func jsonRun[T any](t *testing.T, args ...string) T {
	t.Helper()
	values := jsonValues[T](t, mustRun(t, append(args, "--json")...))
	if len(values) != 1 {
		t.Fatalf("palate %s: got %d JSON values, want 1", strings.Join(args, " "), len(values))
	}
	return values[0]
}

// jsonValues parses an output that is JSON values and nothing else.
func jsonValues[T any](t *testing.T, output string) []T {
	t.Helper()
	var values []T
	decoder := json.NewDecoder(strings.NewReader(output))
	for {
		var value T
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return values
		}
		if err != nil {
			t.Fatalf("output is not JSON: %v\n%s", err, output)
		}
		values = append(values, value)
	}
}

// process is a palate that runs by itself.
type process struct {
	t       *testing.T
	command *exec.Cmd
	args    []string
	out     lockedBuffer
	errOut  lockedBuffer
	ended   chan struct{}
	err     error // of Wait; read after ended
}

// start starts a process, which is killed at the latest when the test ends.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startWith(t, nil, args...)
}

func startWith(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	return startProgram(t, "", environment, args...)
}

// startProgram starts a program, this one if program is "".
func startProgram(t *testing.T, program string, environment []string, args ...string) *process {
	t.Helper()
	return launch(t, nil, program, environment, args...)
}

// startReading starts the program under test with a standard input.
func startReading(t *testing.T, input *os.File, args ...string) *process {
	t.Helper()
	return launch(t, input, faultsBinary, nil, args...)
}

func launch(t *testing.T, input *os.File, program string, environment []string, args ...string) *process {
	t.Helper()
	if program == "" {
		program = os.Args[0]
	}
	p := &process{t: t, args: args, ended: make(chan struct{})}
	p.command = exec.Command(program, args...)
	p.command.Env = append(append(os.Environ(), runAsPalate+"=1"), environment...)
	p.command.Stdout, p.command.Stderr = &p.out, &p.errOut
	if input != nil {
		p.command.Stdin = input
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.ended
}

// wait returns what the process gave once it has ended by itself.
func (p *process) wait() result {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.kill()
		p.t.Fatalf("palate %s: not ended after %v: %s", strings.Join(p.args, " "), patience, p.errOut.String())
	}
	return result{p.command.ProcessState.ExitCode(), p.out.String(), p.errOut.String()}
}

// mustEnd waits for a process that has to succeed.
func (p *process) mustEnd() string {
	p.t.Helper()
	r := p.wait()
	if r.code != exitDone {
		p.t.Fatalf("palate %s: got exit code %d, want %d: %s", strings.Join(p.args, " "), r.code, exitDone, r.err)
	}
	return r.out
}

// interrupt asks the process to end, as Ctrl-C does, and returns what it gave.
func (p *process) interrupt() result {
	p.t.Helper()
	if err := p.command.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// eventually asks again and again until the answer is yes.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// lockedBuffer can be read while a process writes to it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
