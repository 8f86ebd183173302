package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// olderModel is what 643e7ab embedded olderCollection with.
const olderModel = "cb6820c84a4991946c8b2686eed70f61c1e6b4e2d6dff42776beef8d6a6d248d"

type scoreOf struct {
	Image palate.ImageID `json:"image_id"`
	Score float64        `json:"score"`
}

// largeJPEG writes a picture whose pixels depend on how it is decoded.
func largeJPEG(t *testing.T, path string) {
	t.Helper()
	m := image.NewYCbCr(image.Rect(0, 0, 2600, 2400), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i * i >> 7)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = uint8(i>>5), uint8(i>>9)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, nil); err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, path, file.Bytes())
}

// collectionOf lists the models of a collection, the one that serves last.
func collectionOf(t *testing.T, data string) []collection.ModelEntry {
	t.Helper()
	h := openTestHome(t, data)
	entries, err := h.Models(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func openTestHome(t *testing.T, data string) *collection.Collection {
	t.Helper()
	g := &globals{Data: data, Quiet: true, indexFlags: indexFlags{IndexAddress: collection.EmbeddedIndex}, modelFlags: modelFlags{Model: models.Auto, Models: t.TempDir()}}
	h, err := openHome(context.Background(), newSession(g, new(bytes.Buffer), new(bytes.Buffer)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// A collection of 643e7ab goes on as it was, new pictures included, until it
// is upgraded; then what no rule touches is copied and the taste is learned
// again; and forgetting the new embeddings brings the old ones back.
func TestAnOlderCollectionIsUpgradedAndBroughtBack(t *testing.T) {
	race.Long(t)
	data, large := olderCollection(t), filepath.Join(t.TempDir(), "large.jpg")
	largeJPEG(t, large)
	program.MustRun(t, "import", large, "--data", data)
	if r := program.JSONRun[ingest.EmbedReport](t, "embed", "--data", data); r.Embedded != 1 || r.Copied != 0 {
		t.Errorf("a new picture: got %+v, want it embedded alone", r)
	}
	before := program.JSONRun[[]scoreOf](t, "scores", "--limit", "33", "--data", data)
	if got := collectionOf(t, data); len(got) != 1 || got[0].Model != olderModel || got[0].Rules != picture.Former || got[0].Embedded != 33 || len(before) != 33 {
		t.Fatalf("before: got %+v and %d scores", got, len(before))
	}
	vector := func() collection.FileEmbedding {
		return program.JSONRun[collection.FileEmbedding](t, "embed", large, "--data", data)
	}
	former := vector()
	if former.ModelID != olderModel {
		t.Errorf("a file is embedded by %s, want the collection's model", former.ModelID)
	}

	report := program.JSONRun[collection.UpgradeReport](t, "embed", "--upgrade", "--data", data)
	if report.From != olderModel || report.FromRules != picture.Former || report.ToRules != picture.Current() ||
		report.Embedding.Copied != 32 || report.Embedding.Embedded != 1 || len(report.Trained) != 1 {
		t.Fatalf("upgrade: got %+v, want 32 copied, the large JPEG embedded and one taste learned", report)
	}
	got := collectionOf(t, data)
	if len(got) != 2 || got[0].State != collection.StateReplaced || got[1].Model != report.To || got[1].State != collection.StateServes || got[1].Embedded != 33 {
		t.Errorf("after: got %+v", got)
	}
	if after := program.JSONRun[[]scoreOf](t, "scores", "--limit", "33", "--data", data); len(after) != 33 {
		t.Errorf("after: got %d scores", len(after))
	}
	if now := vector(); now.ModelID != report.To || slices.Equal(now.Vector, former.Vector) {
		t.Errorf("after: a large JPEG is embedded by %s, want another vector by %s", now.ModelID, report.To)
	}
	if again := program.JSONRun[collection.UpgradeReport](t, "embed", "--upgrade", "--data", data); !again.NothingToDo {
		t.Errorf("again: got %+v, want nothing to do", again)
	}

	if f := program.JSONRun[collection.Forgotten](t, "model", "forget", report.To.Short(), "--data", data); f.Done || f.Embeddings != 33 || f.Serves != olderModel {
		t.Errorf("forget without --yes: got %+v", f)
	}
	if got := collectionOf(t, data); len(got) != 2 {
		t.Errorf("forget without --yes: got %+v", got)
	}
	program.MustRun(t, "model", "forget", report.To.Short(), "--yes", "--data", data)
	back := program.JSONRun[[]scoreOf](t, "scores", "--limit", "33", "--data", data)
	if got := collectionOf(t, data); len(got) != 1 || got[0].Model != olderModel || len(back) != 33 || back[0] != before[0] {
		t.Errorf("brought back: got %+v and scores %+v, want what there was, %+v", got, back[:1], before[:1])
	}
}

// An upgrade that is killed leaves the old model serving and goes on.
func TestAKilledUpgradeGoesOn(t *testing.T) {
	data := olderCollection(t)
	for _, after := range []time.Duration{200, 600, 1200} {
		p := program.Start(t, "embed", "--upgrade", "--data", data)
		select {
		case <-p.Ended:
		case <-time.After(after * time.Millisecond):
			p.Kill()
		}
		if got := program.JSONRun[[]scoreOf](t, "scores", "--limit", "32", "--data", data); len(got) != 32 {
			t.Errorf("killed after %d ms: got %d scores", after, len(got))
		}
	}
	program.MustRun(t, "embed", "--upgrade", "--data", data)
	got := collectionOf(t, data)
	if len(got) != 2 || got[0].Model != olderModel || got[0].State != collection.StateReplaced || got[1].Embedded != 32 {
		t.Errorf("got %+v", got)
	}
	program.MustRun(t, "scores", "--data", data)
}

// A server goes on with the old model, works at an upgrade that was begun, and
// then serves the new one at the same address.
func TestAServerUpgradesAndSwitches(t *testing.T) {
	data := olderCollection(t)
	server := program.StartServer(t, "--data", data)
	type version struct {
		ModelID string `json:"model_id"`
	}
	if got := program.Get[version](server, "/v1/version", nil).ModelID; got != olderModel {
		t.Fatalf("it serves %s, want the old model", got)
	}
	h := openTestHome(t, data)
	ctx := t.Context()
	m, err := h.OpenModel(ctx)
	if err != nil {
		t.Fatal(err)
	}
	settings := m.Embedder.Settings()
	settings.Rules = picture.Current()
	next, err := m.Beside(ctx, settings)
	if err != nil || next == nil {
		t.Fatalf("got %v, %v", next, err)
	}
	to := next.Embedder.Model()
	if err := errors.Join(next.Close(), m.Close()); err != nil {
		t.Fatal(err)
	}
	if err := h.Catalog.BeginUpgrade(ctx, olderModel, to); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, "the server serves the new model", func() bool {
		return program.Get[version](server, "/v1/version", nil).ModelID == string(to)
	})
	type list struct {
		Scores []struct{} `json:"scores"`
	}
	if got := program.Get[list](server, "/v1/profiles/me/scores", map[string][]string{"limit": {"40"}}); len(got.Scores) != 32 {
		t.Errorf("got %d scores by the new model, want 32", len(got.Scores))
	}
}
