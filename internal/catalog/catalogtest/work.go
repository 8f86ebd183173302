package catalogtest

import (
	"encoding/json"
	"reflect"
	"testing"

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
