package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// misspelt are addresses of an index, with a key in them, that are refused.
var misspelt = []string{
	"qdrnt://k3y@host", "http://k3y@host/art", "https://host:6333/?api-key=k3y", "k3y@host", "qdrant:k3y@host", "qdrant:/k3y@host/art",
	"qdrant://k3y@host:6334:extra/art", "qdrant://k3y@host", "qdrant://k3y@host:port/art", "qdrant://user:k3y@host/art", "qdrant://a/k3y@host/art",
	"qdrant://k3y@host/art?shard=2", "qdrant://k3y@host/art?shards=many", "qdrant://host/art?api_key=k3y", "qdrant://host/art?nodes=k3y@b:1", "qdrant://host/art?key_file=k3y",
	"qdrant://host@k3y/a/b", "k3y",
}

// Wherever a misspelt address comes from, its key is in no output.
func TestTheKeyOfAMisspeltAddressIsNotShown(t *testing.T) {
	home := demoCollection(t)
	file := filepath.Join(t.TempDir(), "config.json")
	check := func(what string, r program.Result) {
		t.Helper()
		if r.Code != exitUsage && r.Code != exitFailed || strings.Contains(r.Out+r.Err, "k3y") {
			t.Errorf("%s: got exit code %d and\n%s%s, want an error without the key", what, r.Code, r.Out, r.Err)
		}
	}
	for i, address := range misspelt {
		settings, err := json.Marshal(map[string]string{"index": address})
		if err != nil {
			t.Fatal(err)
		}
		program.WriteFile(t, file, settings)
		check("flag "+address, program.RunPalate(t, "scores", "--data", home, "--json", "--verbose", "--index="+address))
		if i%6 != 0 { // the ways in differ, what refuses the address doesn't
			continue
		}
		check("file "+address, program.RunPalate(t, "index", "status", "--data", home, "--config", file))
		check("doctor "+address, program.RunPalate(t, "doctor", "--data", home, "--json", "--config", file))
		t.Run("environment", func(t *testing.T) {
			t.Setenv("PALATE_INDEX", address)
			check("environment "+address, program.RunPalate(t, "serve", "--data", home, "--addr", "127.0.0.1:0"))
		})
	}
}

// Nor does the parser of the command line or of the configuration file repeat
// an address that stands where none is wanted.
func TestTheParserRepeatsNoAddress(t *testing.T) {
	const address = "qdrant://k3y@host/art"
	file := filepath.Join(t.TempDir(), "config.json")
	for _, args := range [][]string{
		{"version", "--indx=" + address}, {"version", "--indx", address}, {"version", "-i", address}, {"version", address}, {address}, {"version", "--index-fallback=" + address},
		{"version", "--json=" + address}, {"version", "--decode-memory", address}, {"version", "--index", address, "k3y@host"}, {"version", "-index=" + address},
	} {
		r := program.RunPalate(t, args...)
		if r.Code != exitUsage || strings.Contains(r.Out+r.Err, "k3y") {
			t.Errorf("palate %s: got exit code %d and\n%s%s, want %d without the key", strings.Join(args, " "), r.Code, r.Out, r.Err, exitUsage)
		}
	}
	for _, content := range []string{
		`{"index": "` + address, `{"indx": "` + address + `"}`, `{"index": {"address": "` + address + `"}}`, `{"index": ["` + address + `"]}`,
		`{"` + address + `": "index"}`, `{"index=` + address + `": 1}`, `["` + address + `"]`, `"` + address + `"`, address,
		`{"decode-memory": "` + address + `"}`, `{"index-fallback": "` + address + `"}`,
	} {
		program.WriteFile(t, file, []byte(content))
		if r := program.RunPalate(t, "version", "--config", file); strings.Contains(r.Out+r.Err, "k3y") {
			t.Errorf("configuration file %s: got\n%s%s, want nothing of the key", content, r.Out, r.Err)
		}
	}
}
