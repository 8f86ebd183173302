package hub_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/hub"
)

// otherProgram lays a file into the cache as the hub's own client does.
func otherProgram(t *testing.T, cache, commit, branch string, content []byte) {
	t.Helper()
	folder := filepath.Join(cache, "models--org--vit_tiny.art")
	for name, text := range map[string][]byte{
		filepath.Join(folder, "blobs", sumOf(content)): content,
		filepath.Join(folder, "refs", branch):          []byte(commit),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	snapshot := filepath.Join(folder, "snapshots", commit)
	if err := os.MkdirAll(snapshot, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "..", "blobs", sumOf(content)), filepath.Join(snapshot, fileName)); err != nil {
		t.Fatal(err)
	}
}

func TestWhatOtherProgramsPulledIsUsed(t *testing.T) {
	content := randomBytes(1000)
	for _, tc := range []struct {
		name   string
		commit string // that the other program had
		change func(*hub.File)
		found  bool
	}{
		{"the same commit", commit, func(*hub.File) {}, true},
		{"the same commit, no hash known", commit, func(f *hub.File) { f.SHA256, f.Size = "", 0 }, true},
		{"the branch", commit, func(f *hub.File) { f.Revision = "main" }, true},
		{"the same bytes under another commit", strings.Repeat("e", 40), func(*hub.File) {}, true},
		{"another commit, no hash known", strings.Repeat("e", 40), func(f *hub.File) { f.SHA256 = "" }, false},
		{"other bytes", commit, func(f *hub.File) { f.SHA256 = strings.Repeat("1", 64) }, false},
		{"another size", commit, func(f *hub.File) { f.Size++ }, false},
		{"another branch", commit, func(f *hub.File) { f.Revision = "dev" }, false},
		{"another file", commit, func(f *hub.File) { f.Path, f.SHA256 = "config.json", "" }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, content)
			c, f := config(t, s), pinned(content)
			c.Offline = true
			otherProgram(t, c.CacheDir, tc.commit, "main", content)
			tc.change(&f)
			local, err := open(t, c).Fetch(t.Context(), f)
			if !tc.found {
				if !errors.Is(err, palate.ErrUnavailable) {
					t.Errorf("got %+v, %v; want it not found and not asked for", local, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(local.Path); err != nil || sumOf(got) != sumOf(content) || local.SHA256 != sumOf(content) {
				t.Errorf("got %+v, %v", local, err)
			}
		})
	}
}

func TestADamagedFileIsSeenByVerify(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	c := config(t, s)
	client := open(t, c)
	local, err := client.Fetch(t.Context(), pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	content[500] ^= 4
	if err := os.WriteFile(local.Path, content, 0o644); err != nil { // through the link
		t.Fatal(err)
	}
	content[500] ^= 4
	for name, f := range map[string]hub.File{
		"pinned": pinned(content), "as it was stored": {Repository: repository, Revision: commit, Path: fileName},
	} {
		if _, err := client.Verify(t.Context(), f); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: got %v, want it damaged", name, err)
		}
	}
}

func TestWithoutSymbolicLinksTheSnapshotHasTheFile(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	c := config(t, s)
	c.Symlink = func(string, string) error { return fs.ErrPermission }
	client := open(t, c)
	local, err := client.Fetch(t.Context(), pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(local.Path); err != nil || !info.Mode().IsRegular() {
		t.Errorf("got %v, %v; want a file", info, err)
	}
	if got, err := os.ReadFile(local.Path); err != nil || sumOf(got) != sumOf(content) || local.SHA256 != sumOf(content) {
		t.Errorf("got %+v, %v", local, err)
	}
	mustRemoveAll(t, c, client, pinned(content))
}

func TestRemoveTakesTheBytesUnlessAnotherSnapshotHasThem(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	c := config(t, s)
	client := open(t, c)
	f := pinned(content)
	if err := client.Remove(t.Context(), f); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("got %v before it came", err)
	}
	nested := f
	nested.Path, nested.SHA256 = "weights/"+fileName, "" // by its hash it would be found without a link of its own
	for _, file := range []hub.File{f, nested} {
		if _, err := client.Fetch(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Remove(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if local, err := client.Find(nested); err != nil || local.Size != 1000 {
		t.Errorf("got %+v, %v; want the other link and its bytes kept", local, err)
	}
	mustRemoveAll(t, c, client, nested)
}

func TestDiscardedBytesComeAgainForAllSnapshots(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	c := config(t, s)
	client := open(t, c)
	f := pinned(content)
	otherProgram(t, c.CacheDir, strings.Repeat("e", 40), "main", content)
	f.SHA256 = ""
	if _, err := client.Fetch(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	other := hub.File{Repository: repository, Revision: "main", Path: fileName}
	damaged := slices.Clone(content)
	damaged[0] ^= 1
	if err := os.WriteFile(filepath.Join(c.CacheDir, "models--org--vit_tiny.art", "blobs", sumOf(content)), damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := client.Discard(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Find(other); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("got %v of the other snapshot, want its bytes gone", err)
	}
	for _, file := range []hub.File{f, other} {
		local, err := client.Fetch(t.Context(), f)
		if err == nil {
			local, err = client.Verify(t.Context(), file)
		}
		if err != nil || local.SHA256 != sumOf(content) {
			t.Errorf("%s: got %+v, %v", file.Revision, local, err)
		}
	}
}

func mustRemoveAll(t *testing.T, c hub.Config, client *hub.Client, f hub.File) {
	t.Helper()
	if err := client.Remove(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	var left []string
	_ = filepath.WalkDir(filepath.Join(c.CacheDir, "models--org--vit_tiny.art"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left = append(left, p)
		}
		return nil
	})
	if len(left) > 0 {
		t.Errorf("left %v", left)
	}
	if _, err := client.Find(f); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("got %v after it was removed", err)
	}
}

func TestOneOfManyDownloadsAndAllHaveIt(t *testing.T) {
	content := randomBytes(1 << 20)
	s := newSite(t, content)
	c := config(t, s)
	var group sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		client := open(t, c) // its own, as of another process
		group.Go(func() { _, errs[i] = client.Fetch(t.Context(), pinned(content)) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := len(s.gets()); got != 1 {
		t.Errorf("downloaded %d times, want once", got)
	}
}

func TestWhatIsNoFileOfAHubIsRefused(t *testing.T) {
	good := hub.File{Repository: repository, Revision: commit, Path: fileName}
	client := open(t, hub.DefaultConfig())
	for name, change := range map[string]func(*hub.File){
		"no organisation":     func(f *hub.File) { f.Repository = "vit" },
		"up and away":         func(f *hub.File) { f.Repository = "org/.." },
		"path upwards":        func(f *hub.File) { f.Path = "../../token" },
		"absolute path":       func(f *hub.File) { f.Path = "/etc/passwd" },
		"path with a query":   func(f *hub.File) { f.Path = "model?x" },
		"no path":             func(f *hub.File) { f.Path = "" },
		"revision with slash": func(f *hub.File) { f.Revision = "refs/../../x" },
		"revision upwards":    func(f *hub.File) { f.Revision = "a..b" },
		"no hash":             func(f *hub.File) { f.SHA256 = "abc" },
		"negative size":       func(f *hub.File) { f.Size = -1 },
	} {
		f := good
		change(&f)
		if _, err := client.Fetch(t.Context(), f); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

func TestTheEnvironmentOfOtherClientsIsHonoured(t *testing.T) {
	home := t.TempDir()
	token := filepath.Join(home, "token-file")
	for name, text := range map[string]string{token: " hf_named\n", filepath.Join(home, "hf", "token"): "hf_home\n"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name        string
		environment map[string]string
		want        hub.Config
	}{
		{"nothing set", nil, hub.Config{Endpoint: hub.DefaultEndpoint, CacheDir: filepath.Join(home, ".cache", "huggingface", "hub")}},
		{"XDG", map[string]string{"XDG_CACHE_HOME": filepath.Join(home, "c")},
			hub.Config{Endpoint: hub.DefaultEndpoint, CacheDir: filepath.Join(home, "c", "huggingface", "hub")}},
		{"HF_HOME", map[string]string{"HF_HOME": "~/hf"},
			hub.Config{Endpoint: hub.DefaultEndpoint, CacheDir: filepath.Join(home, "hf", "hub"), Token: "hf_home"}},
		{"all of them", map[string]string{"HF_HOME": filepath.Join(home, "hf"), "HF_HUB_CACHE": filepath.Join(home, "cache"), "HF_TOKEN_PATH": token,
			"HF_ENDPOINT": "https://mirror.example/", "HF_HUB_OFFLINE": "True"},
			hub.Config{Endpoint: "https://mirror.example", CacheDir: filepath.Join(home, "cache"), Token: "hf_named", Offline: true}},
		{"the token itself", map[string]string{"HF_TOKEN": "hf_direct\n", "HF_TOKEN_PATH": token, "HF_HUB_OFFLINE": "0"},
			hub.Config{Endpoint: hub.DefaultEndpoint, CacheDir: filepath.Join(home, ".cache", "huggingface", "hub"), Token: "hf_direct"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("HOME", home)
			for _, name := range []string{"HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"} {
				t.Setenv(name, tc.environment[name])
			}
			c := hub.ConfigFromEnv()
			got := []any{c.Endpoint, c.CacheDir, c.Token, c.Offline}
			want := []any{tc.want.Endpoint, tc.want.CacheDir, tc.want.Token, tc.want.Offline}
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAConfigurationThatCantWorkIsRefused(t *testing.T) {
	c := hub.DefaultConfig()
	c.Endpoint, c.CacheDir, c.Token, c.Attempts, c.Backoff = "huggingface.co", "cache", "a b", 0, 0
	_, err := hub.New(c)
	if !errors.Is(err, palate.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	for _, want := range []string{"endpoint", "cache folder", "token", "attempts", "backoff"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a word on the %s", err, want)
		}
	}
}
