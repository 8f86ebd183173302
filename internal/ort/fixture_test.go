package ort_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/ort"
)

// library is what the fixture's archives hold: fetched files are accepted by
// hash alone, so it need not be a real one.
var library = bytes.Repeat([]byte("library "), 40_000)

type entry struct {
	name string
	text []byte
	link string // a symbolic link, if set
}

func tgz(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	w := tar.NewWriter(gz)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: tar.TypeReg}
		if e.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.Create(e.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sum(text []byte) string {
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}

// releaseArchive is laid out as the ones on GitHub, with entries besides that
// must not be taken for the library nor be written anywhere.
func releaseArchive(t *testing.T) []byte {
	return tgz(t,
		entry{name: "../../escaped", text: []byte("evil")},
		entry{name: "/tmp/../runtime/lib/libruntime", text: []byte("evil")},
		entry{name: "runtime/lib/libruntime", link: "libruntime.1"},
		entry{name: "runtime/LICENSE", text: []byte("licence")},
		entry{name: "./runtime/lib/libruntime", text: library},
	)
}

func npmArchive(t *testing.T) []byte {
	return tgz(t, entry{name: "package/bin/libruntime", text: library})
}

// config has every source turned on and nothing in any of them; the release's
// hashes fit releaseArchive and npmArchive.
func config(t *testing.T) ort.Config {
	t.Helper()
	dir := t.TempDir()
	c := ort.DefaultConfig()
	c.LibraryDirs = []string{filepath.Join(dir, "lib")}
	c.ModuleCacheDirs = []string{filepath.Join(dir, "mod")}
	c.CacheDir = filepath.Join(dir, "cache")
	c.ReleaseURL = closedAddress(t)
	c.NPMCommand = npm("refuse", "")
	c.ConnectTimeout, c.StallTimeout, c.NPMTimeout = 5*time.Second, 10*time.Second, 20*time.Second
	c.Release = ort.Release{
		Version: "1.27.9", Platform: "test/machine", FileName: "libruntime.so",
		Archive: "runtime.tgz", ArchiveEntry: "runtime/lib/libruntime", ArchiveSHA256: sum(releaseArchive(t)),
		NPMPackage: "runtime-node@1.2.3", NPMFile: "runtime-node-1.2.3.tgz", NPMEntry: "package/bin/libruntime", NPMSHA256: sum(library),
		ModuleFile: "example.org/runtime@v1/test_data/lib.so", ModuleVersion: "1.24.1", ModuleSHA256: sum([]byte("module library")),
	}
	return c
}

func npm(mode, payload string) []string {
	return []string{os.Args[0], "stand-in-npm", mode, payload}
}

// closedAddress is an address where nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	return s.URL
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func write(t *testing.T, path string, text []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantLibrary reports a cached library that is not what the archives hold,
// and anything that fetching left behind.
func wantLibrary(t *testing.T, c ort.Config, got ort.Library, origin string) {
	t.Helper()
	want := ort.Library{Path: filepath.Join(c.CacheDir, c.Release.FileName), Version: c.Release.Version, Origin: origin}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	text, err := os.ReadFile(got.Path)
	if err != nil || !bytes.Equal(text, library) {
		t.Errorf("the library has %d bytes (%v), want %d", len(text), err, len(library))
	}
	left, err := filepath.Glob(filepath.Join(c.CacheDir, "fetch-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// nativeLibrary compiles a library that says it is the version, with or
// without the C API. More goes to the compiler's command line.
func nativeLibrary(t *testing.T, path, version string, hasAPI bool, more ...string) string {
	t.Helper()
	cc := "cc"
	if fromEnv := os.Getenv("CC"); fromEnv != "" {
		cc = fromEnv
	}
	if _, err := exec.LookPath(cc); err != nil || runtime.GOOS == "windows" {
		t.Skip("no C compiler here to make a stand-in library with:", err)
	}
	api := "0"
	if hasAPI {
		api = "table"
	}
	source := write(t, filepath.Join(t.TempDir(), "stub.c"), []byte(`
static const void *table[400];
static const void *get_api(unsigned v) { (void)v; return `+api+`; }
static const char *get_version(void) { return "`+version+`"; }
static const struct { const void *(*a)(unsigned); const char *(*v)(void); } base = { get_api, get_version };
const void *OrtGetApiBase(void) { (void)table; return &base; }
`))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(cc, append([]string{"-shared", "-fPIC", "-o", path, source}, more...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}
