package tuning_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// ongoing is a job as the page reads it: what it was asked for is kept with it.
type ongoing struct {
	apiJob
	Kind     string
	Done     int64
	Progress struct {
		Stage    string
		FineTune map[string]any `json:"finetune"`
		Arena    map[string]any `json:"arena"`
		Cost     struct{ Resumed bool }
	}
}

// newest is the last fine-tuning or arena; probes are trained beside them when
// the server sees fit.
func newest(s program.Server) (job ongoing) {
	for _, job = range program.Get[struct{ Jobs []ongoing }](s, "/v1/jobs", nil).Jobs {
		if job.Kind == "finetune" || job.Kind == "arena" {
			break
		}
	}
	return job
}

// asked begins a job as the page's Begin and Go on do.
func asked(t *testing.T, s program.Server, kind string, settings map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"kind": kind, "profile": "me", "confirm": true, kind: settings})
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := s.Ask(http.MethodPost, "/v1/jobs", string(body)); status != http.StatusAccepted {
		t.Fatalf("%s: got status %d", body, status)
	}
}

func ended(t *testing.T, s program.Server) (job ongoing) {
	t.Helper()
	program.Eventually(t, "the job ends", func() bool {
		job = newest(s)
		return job.State != "running"
	})
	return job
}

// A server that is killed while it trains says so after its restart, and goes on
// to the end with what the job was asked for. An arena that was stopped goes on,
// too.
func TestAServerThatWasKilledGoesOnTraining(t *testing.T) {
	race.Long(t)
	home := stripes(t, 45)
	const epochs = 40
	server := program.StartServer(t, "--data", home)
	asked(t, server, "finetune", map[string]any{"model": "tiny", "name": "mine", "epochs": epochs, "learning_rate": .001, "patience": 0})
	program.Eventually(t, "it trains", func() bool {
		job := newest(server)
		if job.State != "running" {
			t.Fatalf("got %+v, want that it trains", job)
		}
		return job.Progress.Stage == "training" && job.Done > 6
	})
	server.Kill()

	server = program.StartServer(t, "--data", home)
	job := newest(server)
	if job.Kind != "finetune" || job.State != "failed" || !strings.Contains(job.Error, "process ended before") || job.Progress.Stage != "training" {
		t.Fatalf("after the restart: got %+v", job)
	}
	settings := job.Progress.FineTune
	settings["resume"] = true
	asked(t, server, "finetune", settings)
	job = ended(t, server)
	if job.State != "succeeded" || !job.Progress.Cost.Resumed || len(job.Result.History) != epochs+1 {
		t.Fatalf("gone on with: got %+v and %d epochs", job, len(job.Result.History))
	}

	asked(t, server, "arena", map[string]any{"models": []string{"tiny"}, "methods": []string{"probe", "full"}, "epochs": 60, "folds": 2})
	program.Eventually(t, "it measures", func() bool { return newest(server).Progress.Stage == "measuring" })
	if status, _ := server.Ask(http.MethodDelete, fmt.Sprintf("/v1/jobs/%d", newest(server).ID), ""); status != http.StatusAccepted {
		t.Fatalf("stop the arena: got status %d", status)
	}
	if job = ended(t, server); job.State != "cancelled" {
		t.Fatalf("stopped: got %+v", job)
	}
	asked(t, server, "arena", job.Progress.Arena)
	if job = ended(t, server); job.State != "succeeded" || len(job.Result.Cells) != 2 || len(job.Result.Verdicts) == 0 {
		t.Errorf("the arena gone on with: got %+v", job)
	}
}
