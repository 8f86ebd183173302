package ort_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

func TestOneErrorListsEverySourceAndWhatToDo(t *testing.T) {
	c := config(t)
	c.ReleaseURL = serve(t, http.NotFound)
	_, err := ort.Find(context.Background(), c)
	if !errors.Is(err, palate.ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
	var search *ort.SearchError
	if !errors.As(err, &search) {
		t.Fatalf("got %T, want *SearchError", err)
	}
	var got []string
	for _, a := range search.Attempts {
		got = append(got, a.Source)
		if a.Reason == "" || a.Where == "" {
			t.Errorf("%s: reason %q at %q, want both", a.Source, a.Reason, a.Where)
		}
	}
	want := "installed,cache,module cache,github,npm"
	if strings.Join(got, ",") != want {
		t.Errorf("got sources %q, want %s", got, want)
	}
	for _, part := range []string{
		c.LibraryDirs[0], c.CacheDir, c.ModuleCacheDirs[0], c.ReleaseURL + "/runtime.tgz", "404",
		"pack runtime-node@1.2.3", "ENOTFOUND", "PALATE_ORT_LIBRARY", "put runtime.tgz", "test/machine",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
}

func TestOfflineAsksNobody(t *testing.T) {
	c := config(t)
	var requests atomic.Int64
	c.ReleaseURL = serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	c.NPMCommand = npm("pack", write(t, filepath.Join(t.TempDir(), "p"), npmArchive(t)))
	c.Offline = true
	_, err := ort.Find(context.Background(), c)
	if !errors.Is(err, palate.ErrUnavailable) || strings.Count(err.Error(), "offline") != 2 {
		t.Errorf("got %v, want ErrUnavailable that says offline for github and npm", err)
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
	// What was put there by hand needs no network.
	write(t, filepath.Join(c.CacheDir, "runtime.tgz"), releaseArchive(t))
	lib, err := ort.Find(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	wantLibrary(t, c, lib, ort.OriginGitHub)
}

func TestPlatformWithoutABuildIsNamed(t *testing.T) {
	c := config(t)
	c.Release = ort.DefaultRelease("darwin", "amd64")
	_, err := ort.Find(context.Background(), c)
	want := "no published build of ONNX Runtime 1.27.0 for darwin/amd64"
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want ErrUnavailable that says %q", err, want)
	}
}

func TestNoCacheFolderIsAReasonAndNoCrash(t *testing.T) {
	c := config(t)
	c.CacheDir = ""
	if _, err := ort.Find(context.Background(), c); !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "no cache folder") {
		t.Errorf("got %v, want ErrUnavailable for want of a cache folder", err)
	}
	c.CacheDir = filepath.Join(write(t, filepath.Join(t.TempDir(), "file"), nil), "below")
	if _, err := ort.Find(context.Background(), c); !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "make the cache folder") {
		t.Errorf("got %v, want ErrUnavailable for a cache below a file", err)
	}
}

func TestFindEndsWithTheContext(t *testing.T) {
	c := config(t)
	entered := make(chan struct{})
	c.ReleaseURL = serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-entered; cancel() }()
	if _, err := ort.Find(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := ort.Find(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that was done before: got %v, want context.Canceled", err)
	}
}

func TestManyWhoAskAtOnceFetchOnce(t *testing.T) {
	c := config(t)
	var requests atomic.Int64
	archive := releaseArchive(t)
	c.ReleaseURL = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		time.Sleep(50 * time.Millisecond) // widens the window for a second fetch
		_, _ = w.Write(archive)
	})
	stored, err := json.Marshal(storedConfig{c.CacheDir, c.ReleaseURL, c.Release})
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(t.TempDir(), "config"), stored)
	var fetched atomic.Int64
	see := func(lib ort.Library, err error) {
		switch {
		case err != nil:
			t.Error(err)
		case lib.Origin == ort.OriginGitHub:
			fetched.Add(1)
		case lib.Origin != ort.OriginCache:
			t.Errorf("got origin %q, want github or cache", lib.Origin)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { see(ort.Find(context.Background(), c)) })
	}
	for range 3 {
		all.Go(func() {
			cmd := exec.Command(os.Args[0], "find", file)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			var lib ort.Library
			if err == nil {
				err = json.Unmarshal(out, &lib)
			}
			see(lib, err)
		})
	}
	all.Wait()
	if requests.Load() != 1 || fetched.Load() != 1 {
		t.Errorf("%d requests and %d who fetched, want one of each", requests.Load(), fetched.Load())
	}
	lib, err := ort.Find(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	wantLibrary(t, c, lib, ort.OriginCache)
}

func TestConfigReportsAllProblemsAtOnce(t *testing.T) {
	if err := ort.DefaultConfig().Validate(); err != nil {
		t.Errorf("the default configuration: %v", err)
	}
	c := ort.DefaultConfig()
	c.CacheDir = "relative"
	c.ReleaseURL = "ftp://example.org"
	c.NPMCommand = []string{""}
	c.ConnectTimeout = 0
	c.Release = ort.Release{Version: "x", Archive: "../a.tgz", ArchiveSHA256: "abc", ModuleFile: "../../x", NPMPackage: "a@1"}
	err := c.Validate()
	if !errors.Is(err, palate.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	for _, part := range []string{"relative", "ftp://", "npm command", "connect time-out", `"x"`, "platform", "../a.tgz", "abc", "../../x", "npm file"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not speak of %q: %v", part, err)
		}
	}
	if _, err := ort.Find(context.Background(), c); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("Find: got %v, want ErrInvalid", err)
	}
}

func TestConfigFromEnvReadsPalatesVariables(t *testing.T) {
	root := t.TempDir()
	t.Setenv("PALATE_CACHE", root)
	t.Setenv("PALATE_ORT_LIBRARY", "/somewhere/lib.so")
	t.Setenv("PALATE_OFFLINE", "1")
	c := ort.ConfigFromEnv()
	if want := filepath.Join(root, "onnxruntime", "1.27.0"); c.CacheDir != want || c.LibraryPath != "/somewhere/lib.so" || !c.Offline {
		t.Errorf("got cache %s, library %s, offline %v, want %s, /somewhere/lib.so, true", c.CacheDir, c.LibraryPath, c.Offline, want)
	}
}
