package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// What is exported of what was rated, evaluate judges.
func TestWhatIsExportedIsEvaluated(t *testing.T) {
	race.Long(t)
	home, folder := demoCollection(t), t.TempDir()
	at := []string{"--data", home}
	type exported struct {
		Rows  int
		Model string `json:"model_id"`
	}
	for _, name := range []string{"rated.npz", "rated.parquet", "rated"} {
		path := filepath.Join(folder, name)
		got := program.JSONRun[exported](t, append([]string{"export", path, "--rated", "--embeddings"}, at...)...)
		if got.Rows != program.DemoRated || len(got.Model) != 64 {
			t.Errorf("%s: %+v, want %d rows by a model", name, got, program.DemoRated)
		}
		report := program.JSONRun[struct{ AUC float64 }](t, "evaluate", "--features", path)
		if report.AUC < .7 {
			t.Errorf("%s: AUC %.3f, want the taste to be found", name, report.AUC)
		}
	}
	lines := bytes.Split(bytes.TrimSpace([]byte(program.MustRun(t, append([]string{"export", "-"}, at...)...))), []byte("\n"))
	if len(lines) != program.DemoPictures || !json.Valid(lines[0]) {
		t.Errorf("%d lines, want one for each of %d pictures", len(lines), program.DemoPictures)
	}
	for _, args := range [][]string{{"export", filepath.Join(folder, "x.xlsx")}, {"export", filepath.Join(folder, "x.csv"), "--embeddings"}, {"export", "-", "--format", "clip"}} {
		if r := program.RunPalate(t, append(args, at...)...); r.Code != exitUsage {
			t.Errorf("%v: exit code %d and %q, want wrong usage", args, r.Code, r.Err)
		}
	}
}
