package catalogtest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testProbes(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"versions count in each profile":    probeVersions,
		"exactly one serves each model":     currentProbes,
		"bad probes are refused":            badProbes,
		"one that is not current waits":     waitingProbe,
		"a change is recorded when it must": probeChanges,
	})
}

func probeOf(p palate.Profile, m palate.ModelID, current bool) catalog.ProbeVersion {
	return catalog.ProbeVersion{
		Profile: p, Model: m, Weights: []byte{0, 1, 2, 255}, Summary: json.RawMessage(`{"auc":0.9}`), Report: json.RawMessage(`{"auc":0.9,"out_of_fold":[1,2,3]}`),
		LastEntry: 12, Run: 3, Current: current, Reason: "the first",
	}
}

func probeVersions(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	want := probeOf("me", "m", true)
	got := must(c.AddProbe(ctx, want))(t)
	want.Version, want.TrainedAt = 1, got.TrainedAt
	if !reflect.DeepEqual(got, want) || got.TrainedAt.IsZero() {
		t.Errorf("AddProbe: got %+v, want %+v", got, want)
	}
	if read := must(again().ProbeVersion(ctx, "me", 1))(t); !reflect.DeepEqual(read, want) {
		t.Errorf("ProbeVersion: got %+v, want %+v", read, want)
	}
	light := want
	light.Report = nil
	if read := must(again().CurrentProbe(ctx, "me", "m"))(t); !reflect.DeepEqual(read, light) {
		t.Errorf("CurrentProbe: got %+v, want %+v", read, light)
	}
	light.Weights = nil
	if read := must(again().ListProbes(ctx, "me"))(t); !reflect.DeepEqual(read, []catalog.ProbeVersion{light}) {
		t.Errorf("ListProbes: got %+v, want %+v", read, light)
	}
	imported := probeOf("imported", "m", true)
	imported.Report = nil
	must(c.AddProbe(ctx, imported))(t)
	if read := must(again().ProbeVersion(ctx, "imported", 1))(t); read.Report != nil {
		t.Errorf("ProbeVersion without a report: got %s", read.Report)
	}
	equal(t, "second", must(c.AddProbe(ctx, probeOf("me", "n", false)))(t).Version, 2)
	equal(t, "third", must(c.AddProbe(ctx, probeOf("me", "m", true)))(t).Version, 3)
	equal(t, "another's first", must(c.AddProbe(ctx, probeOf("you", "m", true)))(t).Version, 1)
	var versions []int
	for _, p := range must(c.ListProbes(ctx, "me"))(t) {
		versions = append(versions, p.Version)
	}
	equalList(t, "newest first", versions, []int{3, 2, 1})
	equal(t, "of nobody", len(must(c.ListProbes(ctx, "nobody"))(t)), 0)
	_, err := c.ProbeVersion(ctx, "me", 4)
	wantKind(t, "no such version", err, palate.ErrNotFound)
}

// wantCurrent fails unless that version serves, and it alone.
func wantCurrent(t *testing.T, c catalog.Catalog, p palate.Profile, m palate.ModelID, version int) {
	t.Helper()
	got := must(c.CurrentProbe(t.Context(), p, m))(t)
	equal(t, "current version", got.Version, version)
	for _, probe := range must(c.ListProbes(t.Context(), p))(t) {
		if probe.Model == m && probe.Current != (probe.Version == version) {
			t.Errorf("version %d: current is %v while %d serves", probe.Version, probe.Current, version)
		}
	}
}

func currentProbes(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	for _, p := range []catalog.ProbeVersion{probeOf("me", "m", true), probeOf("me", "n", true), probeOf("me", "m", true), probeOf("me", "m", false), probeOf("you", "m", true)} {
		must(c.AddProbe(ctx, p))(t)
	}
	wantCurrent(t, c, "me", "m", 3)
	wantCurrent(t, c, "me", "n", 2)
	wantCurrent(t, c, "you", "m", 1)
	ok(t, "MakeProbeCurrent", c.MakeProbeCurrent(ctx, "me", 1))
	wantCurrent(t, c, "me", "m", 1)
	ok(t, "MakeProbeCurrent", c.MakeProbeCurrent(ctx, "me", 4))
	ok(t, "the same again", c.MakeProbeCurrent(ctx, "me", 4))
	wantCurrent(t, c, "me", "m", 4)
	wantCurrent(t, c, "me", "n", 2)
	wantCurrent(t, c, "you", "m", 1)
	wantKind(t, "no such version", c.MakeProbeCurrent(ctx, "me", 9), palate.ErrNotFound)
	_, err := c.CurrentProbe(ctx, "me", "x")
	wantKind(t, "no such model", err, palate.ErrNotFound)
}

func badProbes(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	for what, change := range map[string]func(*catalog.ProbeVersion){
		"no profile": func(p *catalog.ProbeVersion) { p.Profile = "" },
		"no model":   func(p *catalog.ProbeVersion) { p.Model = "" },
		"no JSON":    func(p *catalog.ProbeVersion) { p.Report = json.RawMessage("nope") },
		"no summary": func(p *catalog.ProbeVersion) { p.Summary = json.RawMessage("nope") },
	} {
		p := probeOf("me", "m", true)
		change(&p)
		_, err := c.AddProbe(t.Context(), p)
		wantKind(t, what, err, palate.ErrInvalid)
	}
	equal(t, "kept", len(must(c.ListProbes(t.Context(), "me"))(t)), 0)
}

func waitingProbe(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	must(c.AddProbe(t.Context(), probeOf("me", "m", false)))(t)
	_, err := c.CurrentProbe(t.Context(), "me", "m")
	wantKind(t, "CurrentProbe", err, palate.ErrNotFound)
	ok(t, "MakeProbeCurrent", c.MakeProbeCurrent(t.Context(), "me", 1))
	wantCurrent(t, c, "me", "m", 1)
}

func probeChanges(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	unchanged(t, c, "a probe that does not serve", func() { must(c.AddProbe(ctx, probeOf("me", "m", false)))(t) })
	must(c.AddProbe(ctx, probeOf("me", "m", true)))(t)
	ok(t, "MakeProbeCurrent", c.MakeProbeCurrent(ctx, "me", 1))
	got := must(c.ChangesAfter(ctx, 0, 10))(t)
	equal(t, "changes", len(got), 2)
	for _, change := range got {
		if change.Kind != catalog.ProbeChanged || change.Profile != "me" || change.Model != "m" || !change.Image.IsZero() {
			t.Errorf("got %+v", change)
		}
	}
}

func testRuns(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"a run from start to end":         runToEnd,
		"runs are listed newest first":    listRuns,
		"bad runs are refused":            badRuns,
		"runs without a heartbeat end":    staleRuns,
		"ends only what is still running": staleAmongEnded,
	})
}

func runToEnd(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	other := again()
	run := must(c.StartRun(ctx, "train", "me"))(t)
	if run.ID < 1 || run.State != catalog.Running || run.Kind != "train" || run.Profile != "me" || run.StartedAt.IsZero() || !run.FinishedAt.IsZero() {
		t.Errorf("StartRun: got %+v", run)
	}
	if got := must(other.RunByID(ctx, run.ID))(t); !reflect.DeepEqual(got, run) {
		t.Errorf("RunByID: got %+v, want %+v", got, run)
	}
	ok(t, "UpdateRun", c.UpdateRun(ctx, run.ID, 5, 10))
	got := must(other.RunByID(ctx, run.ID))(t)
	if got.Done != 5 || got.Total != 10 || got.UpdatedAt.Before(run.UpdatedAt) {
		t.Errorf("updated: got %+v", got)
	}
	ok(t, "FinishRun", c.FinishRun(ctx, run.ID, catalog.Succeeded, json.RawMessage(`{"kept":3}`), "all well"))
	got = must(other.RunByID(ctx, run.ID))(t)
	if got.State != catalog.Succeeded || !bytes.Equal(got.Result, []byte(`{"kept":3}`)) || got.Error != "all well" || got.FinishedAt.IsZero() || got.Done != 5 {
		t.Errorf("finished: got %+v", got)
	}
	wantKind(t, "second FinishRun", c.FinishRun(ctx, run.ID, catalog.Failed, nil, ""), palate.ErrConflict)
	wantKind(t, "UpdateRun after the end", c.UpdateRun(ctx, run.ID, 6, 10), palate.ErrConflict)
	if after := must(c.RunByID(ctx, run.ID))(t); !reflect.DeepEqual(after, got) {
		t.Errorf("refused calls changed it: got %+v, want %+v", after, got)
	}
}

func listRuns(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	var ids []int64
	for _, kind := range []string{"crawl", "import", "embed", "train", "reindex"} {
		ids = append(ids, must(c.StartRun(t.Context(), kind, ""))(t).ID)
	}
	list := func(before int64, limit int) (got []int64) {
		for _, run := range must(c.ListRuns(t.Context(), before, limit))(t) {
			got = append(got, run.ID)
		}
		return got
	}
	equalList(t, "first page", list(0, 2), []int64{ids[4], ids[3]})
	equalList(t, "second page", list(ids[3], 2), []int64{ids[2], ids[1]})
	equalList(t, "last page", list(ids[1], 2), []int64{ids[0]})
	_, err := c.ListRuns(t.Context(), 0, 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
}

func badRuns(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	_, err := c.StartRun(ctx, "", "me")
	wantKind(t, "no kind", err, palate.ErrInvalid)
	_, err = c.StartRun(ctx, "train", "Not A Profile")
	wantKind(t, "bad profile", err, palate.ErrInvalid)
	_, err = c.RunByID(ctx, 99)
	wantKind(t, "RunByID", err, palate.ErrNotFound)
	wantKind(t, "UpdateRun", c.UpdateRun(ctx, 99, 0, 0), palate.ErrNotFound)
	wantKind(t, "FinishRun", c.FinishRun(ctx, 99, catalog.Failed, nil, ""), palate.ErrNotFound)
	id := must(c.StartRun(ctx, "train", "me"))(t).ID
	wantKind(t, "negative", c.UpdateRun(ctx, id, -1, 0), palate.ErrInvalid)
	wantKind(t, "no end", c.FinishRun(ctx, id, catalog.Running, nil, ""), palate.ErrInvalid)
	wantKind(t, "no JSON", c.FinishRun(ctx, id, catalog.Failed, json.RawMessage("{"), ""), palate.ErrInvalid)
	equal(t, "state", must(c.RunByID(ctx, id))(t).State, catalog.Running)
}

func staleRuns(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	dead := must(c.StartRun(ctx, "crawl", ""))(t)
	alive := must(again().StartRun(ctx, "embed", ""))(t)
	// A moment that lies between the two heartbeats.
	moment := time.Now()
	for !time.Now().After(moment) {
		continue
	}
	ok(t, "UpdateRun", c.UpdateRun(ctx, alive.ID, 1, 2))
	equal(t, "ended", must(c.FailStaleRuns(ctx, moment))(t), 1)
	got := must(c.RunByID(ctx, dead.ID))(t)
	if got.State != catalog.Failed || strings.TrimSpace(got.Error) == "" || got.FinishedAt.IsZero() {
		t.Errorf("got %+v, want failed with a reason", got)
	}
	equal(t, "the other", must(c.RunByID(ctx, alive.ID))(t).State, catalog.Running)
	equal(t, "again", must(c.FailStaleRuns(ctx, moment))(t), 0)
	wantKind(t, "the dead one speaks", c.UpdateRun(ctx, dead.ID, 1, 1), palate.ErrConflict)
}

func staleAmongEnded(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ended := must(c.StartRun(ctx, "crawl", ""))(t).ID
	ok(t, "FinishRun", c.FinishRun(ctx, ended, catalog.Cancelled, nil, ""))
	must(c.StartRun(ctx, "crawl", ""))(t)
	equal(t, "ended", must(c.FailStaleRuns(ctx, time.Now().Add(time.Hour)))(t), 1)
	equal(t, "cancelled stays", must(c.RunByID(ctx, ended))(t).State, catalog.Cancelled)
}
