package main

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// lastJSON is the last value that a command prints with --json, by the very
// names of its fields.
func lastJSON(t *testing.T, args ...string) map[string]json.RawMessage {
	t.Helper()
	values := program.JSONValues[map[string]json.RawMessage](t, program.MustRun(t, append(args, "--json")...))
	if len(values) == 0 {
		t.Fatalf("palate %v printed no JSON", args)
	}
	return values[len(values)-1]
}

// Programs go by the names of these fields: none may go or be renamed.
func TestTheNamesOfFieldsThatWerePromised(t *testing.T) {
	museum, home, pictures := program.StartMuseum(t, 8), t.TempDir(), program.MuseumPictures(t, 2)
	program.WriteFile(t, filepath.Join(pictures, "words.jpg"), []byte("These are words."))
	demoCollection(t)
	_, demo := demoOnce()
	demoReport := program.JSONValues[map[string]json.RawMessage](t, demo.Out)[0]
	within := func(value json.RawMessage) map[string]json.RawMessage {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(value, &object); err != nil {
			t.Errorf("got %s, want an object", value)
		}
		return object
	}
	for name, c := range map[string]struct {
		got  map[string]json.RawMessage
		want []string
	}{
		"crawl":          {lastJSON(t, "crawl", "--museum", museum.Addr, "--data", home), []string{"pages", "candidates", "fetched", "kept", "known", "lost"}},
		"import":         {lastJSON(t, "import", pictures, "--data", home), []string{"seen", "kept", "known", "lost"}},
		"embed FILE":     {lastJSON(t, "embed", filepath.Join(pictures, "0.jpg")), []string{"file", "model", "vector"}},
		"demo":           {demoReport, []string{"pages", "images", "embedded", "indexed", "model", "provider", "probe", "neighbors", "seconds"}},
		"demo.probe":     {within(demoReport["probe"]), []string{"auc", "auc_low", "auc_high", "cv_auc", "balanced_accuracy"}},
		"demo.neighbors": {within(demoReport["neighbors"]), []string{"precision_at_10"}},
	} {
		for _, field := range c.want {
			if _, there := c.got[field]; !there {
				t.Errorf("%s: got the fields %v, want %q among them", name, slices.Sorted(maps.Keys(c.got)), field)
			}
		}
	}
	// Losses are told by reason, with numbers, even when there are none.
	for name, report := range map[string]map[string]json.RawMessage{
		"import": lastJSON(t, "import", pictures, "--data", home), "crawl": lastJSON(t, "crawl", "--museum", museum.Addr, "--data", home),
		"demo": demoReport, "import without losses": lastJSON(t, "import", filepath.Join(pictures, "0.jpg"), "--data", home),
	} {
		var lost map[string]int
		if err := json.Unmarshal(report["lost"], &lost); err != nil || lost == nil {
			t.Errorf("%s: lost is %s, want an object of numbers", name, report["lost"])
		}
	}
}
