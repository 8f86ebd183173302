package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api/client"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// begin starts a job over the API and waits until it has ended.
func begin(t *testing.T, server program.Server, body string) client.Job {
	t.Helper()
	response, err := http.Post(server.URL+"/v1/jobs", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var job client.Job
	if err := json.NewDecoder(response.Body).Decode(&job); err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatalf("%s: got status %d, %v", body, response.StatusCode, err)
	}
	program.Eventually(t, "the job ends", func() bool {
		job = program.Get[client.Job](server, response.Header.Get("Location"), nil)
		return job.State != client.JobStateRunning
	})
	return job
}

// Whoever manages the collection has it read by the present rules, and embedded
// with another model that was added, over the API; each serves at the same
// address when it is whole.
func TestTheAPIPassesTheCollectionOnToAnotherModel(t *testing.T) {
	race.Long(t)
	program.AddTiny(t)
	data := olderCollection(t)
	server := program.StartServer(t, "--data", data)
	serves := func() string { return program.Get[client.Version](server, "/v1/version", nil).ModelID }
	models := func() (serving string, upgrade bool) {
		list := program.Get[client.ModelList](server, "/v1/models", nil)
		for _, m := range list.Models {
			if m.Serves {
				serving = m.Name
			}
		}
		return serving, list.Upgrade != nil
	}
	if name, upgrade := models(); name != "baseline" || !upgrade || serves() != olderModel {
		t.Fatalf("it serves %s, upgrade %v", name, upgrade)
	}

	job := begin(t, server, `{"kind": "embed", "upgrade": true}`)
	var report collection.UpgradeReport
	reportOf(t, job, &report)
	if job.State != client.JobStateSucceeded || report.From != olderModel || report.Embedding.Copied != 32 || len(report.Trained) != 1 || report.ToRules != picture.Current() {
		t.Fatalf("upgrade: got %+v and %+v", job, report)
	}
	program.Eventually(t, "the upgraded model serves", func() bool { return serves() == string(report.To) })

	job = begin(t, server, `{"kind": "embed", "model": "tiny"}`)
	report = collection.UpgradeReport{}
	reportOf(t, job, &report)
	if job.State != client.JobStateSucceeded || report.Embedding.Embedded != 32 || report.Embedding.Copied != 0 || len(report.Trained) != 1 {
		t.Fatalf("another model: got %+v and %+v", job, report)
	}
	program.Eventually(t, "tiny serves", func() bool { return serves() == string(report.To) })
	if name, upgrade := models(); name != "tiny" || upgrade {
		t.Errorf("it serves %s, upgrade %v", name, upgrade)
	}
	if got := program.Get[client.ScoreList](server, "/v1/profiles/me/scores", url.Values{"limit": {"40"}}); len(got.Scores) != 32 {
		t.Errorf("got %d scores by tiny, want 32", len(got.Scores))
	}
	if again := begin(t, server, `{"kind": "embed", "model": "tiny"}`); again.State != client.JobStateSucceeded || (*again.Result)["nothing_to_do"] != true {
		t.Errorf("again: got %+v", again)
	}
	// What serves is what commands go on with.
	if got := collectionOf(t, data); got[len(got)-1].Name != "tiny" || got[len(got)-1].State != collection.StateServes {
		t.Errorf("got %+v", got)
	}
}

// A job that is asked to stop leaves the model that serves, and nobody goes on
// with it; what it has embedded is kept.
func TestPassingOnThatIsCancelledIsOver(t *testing.T) {
	h := openTestHome(t, olderCollection(t))
	ctx := t.Context()
	m, err := h.OpenModel(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	settings := m.Embedder.Settings()
	settings.Rules = picture.Current()
	next, err := m.Beside(ctx, settings)
	if err != nil {
		t.Fatal(err)
	}
	to := next.Embedder.Model()
	// Another has a picture in hand, so that the job waits for it.
	other, err := job.Begin(ctx, h.Catalog, job.Embed, "")
	if err != nil {
		t.Fatal(err)
	}
	if claimed, err := h.Catalog.ClaimUnembedded(ctx, to, other.Run.ID, 1); err != nil || len(claimed) != 1 || next.Close() != nil {
		t.Fatalf("got %d claimed and %v", len(claimed), err)
	}
	ended := make(chan error)
	j, err := job.Begin(ctx, h.Catalog, job.Embed, "")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		ended <- j.Do(ctx, func(ctx context.Context) (any, error) { return m.PassAs(ctx, j, "") })
	}()
	program.Eventually(t, "31 are copied", func() bool {
		n, err := h.Catalog.CountEmbeddings(ctx, to)
		return err == nil && n == 31
	})
	if _, err := m.PassAs(ctx, j, "baseline"); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("a second one meanwhile: got %v, want a conflict", err)
	}
	if err := h.Catalog.CancelRun(ctx, j.Run.ID); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, job.ErrCancelled) {
		t.Errorf("got %v, want that it was asked to stop", err)
	}
	if begun, err := h.Catalog.Upgrades(ctx); err != nil || len(begun) != 0 {
		t.Errorf("got %+v and %v, want no upgrade", begun, err)
	}
	if n, err := h.Catalog.CountEmbeddings(ctx, to); err != nil || n != 31 {
		t.Errorf("%d embeddings are left and %v, want 31", n, err)
	}
	if entries, err := h.Models(ctx); err != nil || entries[len(entries)-1].Model != olderModel {
		t.Errorf("got %+v and %v, want that the old model serves", entries, err)
	}
	if err := other.End(ctx, "cancelled", nil, nil); err != nil {
		t.Error(err)
	}
}

func reportOf(t *testing.T, job client.Job, report any) {
	t.Helper()
	text, err := json.Marshal(job.Result)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, report); err != nil {
		t.Fatal(err)
	}
}
