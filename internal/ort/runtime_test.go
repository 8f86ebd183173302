package ort_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

func TestLoadGivesOneRuntimePerProcess(t *testing.T) {
	first := load(t)
	c := ort.ConfigFromEnv()
	c.LibraryPath = first.Library().Path
	second, err := ort.Load(context.Background(), c)
	if err != nil || second != first {
		t.Errorf("got %p, %v, want %p", second, err, first)
	}
	if lib := first.Library(); lib.Version == "" || lib.Origin == "" || !filepath.IsAbs(lib.Path) {
		t.Errorf("got library %+v, want all of it", lib)
	}
	c.LibraryPath = filepath.Join(t.TempDir(), "another.so")
	if _, err := ort.Load(context.Background(), c); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("another library: got %v, want ErrConflict", err)
	}
}

func TestProvidersSayWhatIsMissing(t *testing.T) {
	r := load(t)
	found := map[string]ort.Provider{}
	for _, p := range r.Providers() {
		found[p.Name] = p
		if p.Available != (p.Why == "") {
			t.Errorf("%+v: want a reason exactly if it is not available", p)
		}
	}
	if !found[ort.ProviderCPU].Available {
		t.Errorf("got %+v, want the CPU provider", r.Providers())
	}
	cuda, ok := found[ort.ProviderCUDA]
	if !ok {
		t.Fatalf("got %+v, want a word on CUDA", r.Providers())
	}
	s, err := r.NewSession(doubling(), ort.SessionConfig{Device: ort.Device{Kind: ort.DeviceCUDA}})
	if cuda.Available {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), cuda.Why) {
		t.Errorf("got %v, want ErrUnavailable that says %q", err, cuda.Why)
	}
}

func TestDiagnoseTellsWhatIsThereAndFetchesNothing(t *testing.T) {
	c := config(t)
	c.ReleaseURL = "http://127.0.0.1:1"
	report := ort.Diagnose(context.Background(), c)
	var sources []string
	for _, a := range report.Sources {
		sources = append(sources, a.Source)
		if a.Where == "" || a.Reason == "" {
			t.Errorf("%+v: want place and reason", a)
		}
	}
	if got, want := strings.Join(sources, ","), "installed,cache,module cache,github,npm"; got != want {
		t.Errorf("got sources %s, want %s", got, want)
	}
	if report.Library != nil || !strings.Contains(report.Problem, "fetches") {
		t.Errorf("got %+v, %q, want no library yet", report.Library, report.Problem)
	}

	c = ort.ConfigFromEnv()
	loaded := load(t).Library()
	report = ort.Diagnose(context.Background(), c)
	if report.Library == nil || report.Library.Path != loaded.Path || report.Problem != "" || len(report.Providers) == 0 {
		t.Errorf("got %+v, want the library %s with its providers", report, loaded.Path)
	}

	c.LibraryPath = filepath.Join(t.TempDir(), "missing.so")
	report = ort.Diagnose(context.Background(), c)
	if report.Library != nil || report.Problem == "" || len(report.Sources) != 1 || !strings.Contains(report.Sources[0].Reason, "no such file") {
		t.Errorf("got %+v, want the explicit library's fault", report)
	}

	c.ConnectTimeout = -1
	if report = ort.Diagnose(context.Background(), c); !strings.Contains(report.Problem, "time-out") {
		t.Errorf("got %q, want the configuration's fault", report.Problem)
	}
}

func TestMissingPartsOfCUDAAreNamed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the parts of CUDA are named on Linux only, this is", runtime.GOOS)
	}
	dir := t.TempDir()
	c := config(t)
	c.LibraryPath = filepath.Join(dir, "libonnxruntime.so")
	if err := os.Symlink(load(t).Library().Path, c.LibraryPath); err != nil {
		t.Fatal(err)
	}
	why := func() string {
		for _, p := range ort.Diagnose(context.Background(), c).Providers {
			if p.Name == ort.ProviderCUDA {
				return p.Why
			}
		}
		return "not listed"
	}
	if got, want := why(), "libonnxruntime_providers_cuda.so is not beside the library in "+dir; !strings.Contains(got, want) {
		t.Errorf("without the provider: got %q, want %q", got, want)
	}
	// The provider's library needs one that is taken away again.
	write(t, filepath.Join(dir, "libonnxruntime_providers_shared.so"), nil)
	needed := nativeLibrary(t, filepath.Join(dir, "libcudaneeded.so.9"), "1", false)
	nativeLibrary(t, filepath.Join(dir, "libonnxruntime_providers_cuda.so"), "1", false, "-Wl,--no-as-needed", needed)
	if err := os.Remove(needed); err != nil {
		t.Fatal(err)
	}
	if got, want := why(), "the loader finds no "; !strings.Contains(got, want) || !strings.Contains(got, "libcudaneeded.so.9") {
		t.Errorf("without what the provider needs: got %q, want %slibcudaneeded.so.9", got, want)
	}
	write(t, filepath.Join(dir, "libonnxruntime_providers_cuda.so"), []byte("text"))
	if got, want := why(), "libonnxruntime_providers_cuda.so can't be read"; !strings.Contains(got, want) {
		t.Errorf("with a broken provider: got %q, want %q", got, want)
	}
}
