package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
)

// RunAsPalate in the environment makes the test binary of cmd/palate the
// program itself, so that tests can start real processes of it and kill them.
const RunAsPalate = "RUN_TEST_BINARY_AS_PALATE"

// The exit codes of palate.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2

	ExitInterrupted = 130
)

// Patience is how long a test waits for what must happen. A former release
// hangs for as long: PALATE_FAULTS_PATIENCE makes it shorter.
var Patience = 2 * time.Minute

// SharedFolder holds what several tests use; it goes when all have ended.
var SharedFolder string

// executable is the program that Start starts.
var executable string

// inProcess runs a command in this process; nil where it can't.
var inProcess func(ctx context.Context, args []string, out, errOut io.Writer) int

// Main runs the tests of a package that drives palate from outside. It builds
// the program first, with the race detector where the tests have it.
func Main(m *testing.M) { os.Exit(mainCode(m)) }

// MainOfPalate runs the tests of the program's own package: commands run in
// the tests' process, and the test binary, started again, is the program.
func MainOfPalate(m *testing.M, main func(), run func(ctx context.Context, args []string, out, errOut io.Writer) int) {
	if os.Getenv(RunAsPalate) != "" {
		if err := errors.Join(becomeWithoutRights(), limitChild()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(ExitUsage)
		}
		main()
		os.Exit(ExitDone)
	}
	executable, inProcess = os.Args[0], run
	os.Exit(mainCode(m))
}

func mainCode(m *testing.M) int {
	if text := os.Getenv("PALATE_FAULTS_PATIENCE"); text != "" {
		var err error
		if Patience, err = time.ParseDuration(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return ExitUsage
		}
	}
	return runTests(m)
}

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
	SharedFolder = folder
	if executable == "" {
		if executable, err = build(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
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
