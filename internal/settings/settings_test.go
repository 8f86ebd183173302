package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/settings"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileGivesFlagsTheirValues(t *testing.T) {
	f, err := settings.Read(write(t, filepath.Join(t.TempDir(), "c.json"), `{"decode_memory": 300, "model": "baseline"}`))
	if err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]any{"decode-memory": 300., "model": "baseline", "decode_memory": nil, "data": nil} {
		if got := f.Value(flag); got != want {
			t.Errorf("%s: got %v, want %v", flag, got, want)
		}
	}
	if err := f.Check(func(name string) bool { return name == "model" || name == "decode-memory" }); err != nil {
		t.Error(err)
	}
	err = f.Check(func(name string) bool { return name == "model" })
	if err == nil || !strings.Contains(err.Error(), `no command has a flag "decode-memory"`) {
		t.Errorf("got %v", err)
	}
}

func TestFilesThatCanNotBeMeant(t *testing.T) {
	folder := t.TempDir()
	for name, want := range map[string]string{
		write(t, filepath.Join(folder, "list.json"), `[]`): "want a JSON object",
		write(t, filepath.Join(folder, "half.json"), `{"`): "want a JSON object",
		filepath.Join(folder, "absent.json"):               "configuration file",
		folder:                                             "configuration file",
	} {
		if _, err := settings.Read(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func TestWithoutANameTheUsersFileIsReadIfItIsThere(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("HOME", home)
	base, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	f, err := settings.Read("")
	if err != nil || f.Value("model") != nil {
		t.Fatalf("got %v, %v", f.Value("model"), err)
	}
	write(t, filepath.Join(base, "palate", "config.json"), `{"model": "baseline"}`)
	if f, err = settings.Read(""); err != nil || f.Value("model") != "baseline" {
		t.Errorf("got %v, %v", f.Value("model"), err)
	}
}
