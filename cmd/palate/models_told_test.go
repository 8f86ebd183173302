package main

import (
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// Which model's embeddings a probe judges is said wherever probes are.
func TestProbesNameTheirModel(t *testing.T) {
	race.Long(t)
	home := ownCollection(t)
	if text := program.MustRun(t, "train", "--data", home); !strings.Contains(text, "on embeddings by baseline,") {
		t.Errorf("train: %s", text)
	}
	if text := program.MustRun(t, "probe", "history", "--data", home); !strings.Contains(text, "MODEL") || !strings.Contains(text, "baseline") || !strings.Contains(text, "* serves, among the probes of its model") {
		t.Errorf("history: %s", text)
	}
	program.AddTiny(t)
	if r := program.RunPalate(t, "embed", "--data", home, "--model", "tiny"); r.Code != exitDone {
		t.Fatalf("embed: %s", r.Err)
	}
	program.MustFail(t, exitFailed, []string{"tiny is in use here", "version 2 on baseline (palate probe show 2, or --model baseline)"}, "probe", "show", "--data", home, "--model", "tiny")
	if text := program.MustRun(t, "probe", "show", "--data", home, "--model", "baseline"); !strings.Contains(text, "Version 2") {
		t.Errorf("show: %s", text)
	}
	// The collection has the embeddings of two models: that is said, and what to do.
	r := program.RunPalate(t, "scores", "--data", home, "--limit", "1", "--model", "auto")
	if r.Code != exitDone || !strings.Contains(r.Err, "embedded by tiny and by baseline") || !strings.Contains(r.Err, "palate train has run with each; for the other: --model baseline") {
		t.Errorf("scores: exit code %d, %s", r.Code, r.Err)
	}
}
