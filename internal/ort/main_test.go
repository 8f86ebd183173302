package ort_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/ort"
)

// The test binary is also two programs that the tests start: a stand-in for
// the npm client and a process that calls Find.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "stand-in-npm":
			os.Exit(standInNPM(os.Args[2], os.Args[3:]))
		case "find":
			os.Exit(findProcess(os.Args[2]))
		}
	}
	// Under the race detector every program that ends sleeps for a second
	// first; the ones that are started here have nothing to wait for.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// standInNPM obeys the command line of `npm pack` as far as palate uses it.
func standInNPM(mode string, args []string) int {
	payload, args := args[0], args[1:]
	flag := func(name string) string {
		if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return ""
	}
	switch mode {
	case "refuse":
		fmt.Fprintln(os.Stderr, "npm error code ENOTFOUND\nnpm error network request failed")
		return 1
	case "hang":
		time.Sleep(time.Minute)
		return 1
	case "nothing":
		return 0
	}
	if args[0] != "pack" || args[1] != "runtime-node@1.2.3" || !slices.Contains(args, "--ignore-scripts") {
		fmt.Fprintln(os.Stderr, "wrong command line", args)
		return 2
	}
	cache, target := flag("--cache"), flag("--pack-destination")
	if cache == "" || filepath.Dir(cache) != target {
		fmt.Fprintln(os.Stderr, "wrong folders", cache, target)
		return 2
	}
	text, err := os.ReadFile(payload)
	if err == nil {
		err = os.WriteFile(filepath.Join(target, "runtime-node-1.2.3.tgz"), text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// findProcess runs Find with the Config in the file and prints the library.
func findProcess(configFile string) int {
	text, err := os.ReadFile(configFile)
	c := ort.DefaultConfig()
	c.Logger = nil
	if err == nil {
		var stored storedConfig
		err = json.Unmarshal(text, &stored)
		c.LibraryDirs, c.ModuleCacheDirs, c.NPMCommand = nil, nil, nil
		c.CacheDir, c.ReleaseURL, c.Release = stored.CacheDir, stored.ReleaseURL, stored.Release
	}
	var lib ort.Library
	if err == nil {
		lib, err = ort.Find(context.Background(), c)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(lib)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

type storedConfig struct {
	CacheDir, ReleaseURL string
	Release              ort.Release
}
