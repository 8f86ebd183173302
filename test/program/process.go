package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Result is what a command gave.
type Result struct {
	Code     int
	Out, Err string
}

// RunPalate runs a command: in the test's own process where that is palate's,
// else in one of its own.
func RunPalate(t *testing.T, args ...string) Result {
	t.Helper()
	if inProcess == nil {
		return Start(t, args...).Wait()
	}
	var out, errOut bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	code := inProcess(ctx, args, &out, &errOut)
	return Result{code, out.String(), errOut.String()}
}

// MustRun runs a command that has to succeed, and returns its output.
func MustRun(t *testing.T, args ...string) string {
	t.Helper()
	r := RunPalate(t, args...)
	if r.Code != ExitDone {
		t.Fatalf("palate %s: got exit code %d, want %d: %s", strings.Join(args, " "), r.Code, ExitDone, r.Err)
	}
	return r.Out
}

// JSONRun runs a command with --json and parses the only value it prints.
func JSONRun[T any](t *testing.T, args ...string) T {
	t.Helper()
	values := JSONValues[T](t, MustRun(t, append(args, "--json")...))
	if len(values) != 1 {
		t.Fatalf("palate %s: got %d JSON values, want 1", strings.Join(args, " "), len(values))
	}
	return values[0]
}

// JSONValues parses an output that is JSON values and nothing else.
func JSONValues[T any](t *testing.T, output string) []T {
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

// Process is a palate that runs by itself.
type Process struct {
	T       *testing.T
	Command *exec.Cmd
	Args    []string
	Out     LockedBuffer
	ErrOut  LockedBuffer
	Ended   chan struct{}
	Err     error // of Wait; read after ended
}

// Start starts a process, which is killed at the latest when the test ends.
func Start(t *testing.T, args ...string) *Process {
	t.Helper()
	return StartWith(t, nil, args...)
}

func StartWith(t *testing.T, environment []string, args ...string) *Process {
	t.Helper()
	return StartProgram(t, "", environment, args...)
}

// StartProgram starts a program, palate if program is "".
func StartProgram(t *testing.T, program string, environment []string, args ...string) *Process {
	t.Helper()
	return Launch(t, nil, program, environment, args...)
}

// StartReading starts the program under test with a standard input.
func StartReading(t *testing.T, input *os.File, args ...string) *Process {
	t.Helper()
	return Launch(t, input, FaultsBinary, nil, args...)
}

func Launch(t *testing.T, input *os.File, program string, environment []string, args ...string) *Process {
	t.Helper()
	if program == "" {
		program = executable
	}
	p := &Process{T: t, Args: args, Ended: make(chan struct{})}
	p.Command = exec.Command(program, args...)
	p.Command.Env = append(append(os.Environ(), RunAsPalate+"=1"), environment...)
	p.Command.Stdout, p.Command.Stderr = &p.Out, &p.ErrOut
	if input != nil {
		p.Command.Stdin = input
	}
	if err := p.Command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.Err = p.Command.Wait()
		close(p.Ended)
	}()
	t.Cleanup(p.Kill)
	return p
}

// Kill ends the process as kill -9 does.
func (p *Process) Kill() {
	_ = p.Command.Process.Kill() // it may have ended
	<-p.Ended
}

// Wait returns what the process gave once it has ended by itself.
func (p *Process) Wait() Result {
	p.T.Helper()
	select {
	case <-p.Ended:
	case <-time.After(Patience):
		p.Kill()
		p.T.Fatalf("palate %s: not ended after %v: %s", strings.Join(p.Args, " "), Patience, p.ErrOut.String())
	}
	return Result{p.Command.ProcessState.ExitCode(), p.Out.String(), p.ErrOut.String()}
}

// MustEnd waits for a process that has to succeed.
func (p *Process) MustEnd() string {
	p.T.Helper()
	r := p.Wait()
	if r.Code != ExitDone {
		p.T.Fatalf("palate %s: got exit code %d, want %d: %s", strings.Join(p.Args, " "), r.Code, ExitDone, r.Err)
	}
	return r.Out
}

// Interrupt asks the process to end, as Ctrl-C does, and returns what it gave.
func (p *Process) Interrupt() Result {
	p.T.Helper()
	if err := p.Command.Process.Signal(os.Interrupt); err != nil {
		p.T.Fatal(err)
	}
	return p.Wait()
}

// Eventually asks again and again until the answer is yes.
func Eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, Patience)
		}
	}
}

// LockedBuffer can be read while a process writes to it.
type LockedBuffer struct {
	Mu     sync.Mutex
	Buffer bytes.Buffer
}

func (b *LockedBuffer) Write(p []byte) (int, error) {
	b.Mu.Lock()
	defer b.Mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *LockedBuffer) String() string {
	b.Mu.Lock()
	defer b.Mu.Unlock()
	return b.Buffer.String()
}
