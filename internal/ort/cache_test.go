package ort_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

func TestDamagedCacheIsReplaced(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, file, record string)
		want   string
	}{
		{"a flipped byte", func(t *testing.T, file, _ string) {
			text := append([]byte(nil), library...)
			text[len(text)/2] ^= 1
			write(t, file, text)
		}, "damaged"},
		{"cut", func(t *testing.T, file, _ string) { write(t, file, library[:100]) }, "damaged"},
		{"empty", func(t *testing.T, file, _ string) { write(t, file, nil) }, "damaged"},
		{"no record", func(t *testing.T, file, record string) {
			write(t, file, []byte("unknown"))
			if err := os.Remove(record); err != nil {
				t.Fatal(err)
			}
		}, "no readable record"},
		{"a record of another kind", func(t *testing.T, file, record string) {
			write(t, file, []byte("unknown"))
			write(t, record, []byte(`{"format":2}`))
		}, "can't be read"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := config(t)
			archive := releaseArchive(t)
			c.ReleaseURL = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
			lib, err := ort.Find(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			tc.damage(t, lib.Path, lib.Path+".json")

			offline := c
			offline.Offline = true
			_, err = ort.Find(context.Background(), offline)
			if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(reason(err, ort.OriginCache), tc.want) {
				t.Errorf("offline: got %v, want ErrUnavailable and the cache's reason with %q", err, tc.want)
			}
			lib, err = ort.Find(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			wantLibrary(t, c, lib, ort.OriginGitHub)
		})
	}
}

func TestLibraryPutIntoTheCacheByHandNeedsNoRecord(t *testing.T) {
	c := config(t)
	write(t, filepath.Join(c.CacheDir, c.Release.FileName), library)
	lib, err := ort.Find(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	wantLibrary(t, c, lib, ort.OriginCache)
}

func TestWrongArchivePutByHandIsSaid(t *testing.T) {
	c := config(t)
	byHand := write(t, filepath.Join(c.CacheDir, "runtime.tgz"), []byte("other"))
	_, err := ort.Find(context.Background(), c)
	if !strings.Contains(reason(err, ort.OriginGitHub), "the file in the cache folder has SHA-256") {
		t.Errorf("got %v, want it to speak of the file in the cache folder", err)
	}
	if _, err := os.Stat(byHand); err != nil {
		t.Errorf("the person's file is gone: %v", err)
	}
}

func TestUnfinishedFetchesAreRemoved(t *testing.T) {
	c := config(t)
	write(t, filepath.Join(c.CacheDir, "fetch-killed", "npm-cache", "part"), []byte("x"))
	c.NPMCommand = npm("pack", write(t, filepath.Join(t.TempDir(), "p"), npmArchive(t)))
	lib, err := ort.Find(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	wantLibrary(t, c, lib, ort.OriginNPM)
}

func TestModuleCacheGivesWhatHasThePinnedHash(t *testing.T) {
	c := config(t)
	path := filepath.Join(c.ModuleCacheDirs[0], filepath.FromSlash(c.Release.ModuleFile))
	write(t, path, []byte("something else"))
	_, err := ort.Find(context.Background(), c)
	if !strings.Contains(reason(err, ort.OriginModuleCache), "SHA-256") {
		t.Errorf("got %v, want the module cache's reason to be the hash", err)
	}
	write(t, path, []byte("module library"))
	got, err := ort.Find(context.Background(), c)
	want := ort.Library{Path: path, Version: "1.24.1", Origin: ort.OriginModuleCache}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// The module that this package is built with is in the module cache, so the
// pins can be held against the real files whatever the machine is.
func TestPinsFitTheFilesOfOnnxruntimeGo(t *testing.T) {
	for _, platform := range []string{"linux/arm64", "darwin/arm64", "windows/amd64"} {
		c := config(t)
		c.ModuleCacheDirs = ort.DefaultConfig().ModuleCacheDirs
		goos, goarch, _ := strings.Cut(platform, "/")
		c.Release = ort.DefaultRelease(goos, goarch)
		c.Offline = true
		lib, err := ort.Find(context.Background(), c)
		if err != nil || lib.Origin != ort.OriginModuleCache || lib.Version != "1.24.1" {
			t.Errorf("%s: got %+v, %v, want 1.24.1 out of the module cache", platform, lib, err)
		}
	}
}
