package main

import (
	"strings"
	"testing"
)

// Which model's embeddings a probe judges is said wherever probes are.
func TestProbesNameTheirModel(t *testing.T) {
	home := ownCollection(t)
	if text := mustRun(t, "train", "--data", home); !strings.Contains(text, "on embeddings by baseline,") {
		t.Errorf("train: %s", text)
	}
	if text := mustRun(t, "probe", "history", "--data", home); !strings.Contains(text, "MODEL") || !strings.Contains(text, "baseline") || !strings.Contains(text, "* serves, among the probes of its model") {
		t.Errorf("history: %s", text)
	}
	addTiny(t)
	if r := runPalate(t, "embed", "--data", home, "--model", "tiny"); r.code != exitDone {
		t.Fatalf("embed: %s", r.err)
	}
	mustFail(t, exitFailed, []string{"tiny is in use here", "version 2 on baseline (palate probe show 2, or --model baseline)"}, "probe", "show", "--data", home, "--model", "tiny")
	if text := mustRun(t, "probe", "show", "--data", home, "--model", "baseline"); !strings.Contains(text, "Version 2") {
		t.Errorf("show: %s", text)
	}
	// The collection has the embeddings of two models: that is said, and what to do.
	r := runPalate(t, "scores", "--data", home, "--limit", "1", "--model", "auto")
	if r.code != exitDone || !strings.Contains(r.err, "embedded by tiny and by baseline") || !strings.Contains(r.err, "palate train has run with each; for the other: --model baseline") {
		t.Errorf("scores: exit code %d, %s", r.code, r.err)
	}
}
