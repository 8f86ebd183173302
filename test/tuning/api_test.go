package tuning_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

type apiJob struct {
	ID     int64  `json:"id"`
	State  string `json:"state"`
	Error  string `json:"error"`
	Result struct {
		Model    string   `json:"model"`
		Verdicts []string `json:"verdicts"`
		History  []struct {
			Number int `json:"epoch"`
		} `json:"history"`
		Best struct {
			Number int `json:"epoch"`
		} `json:"best"`
		Cells []struct {
			Model, Method, Failed string
		}
	} `json:"result"`
}

// started starts a job by the API of a server, and waits for its end.
func started(t *testing.T, s program.Server, body string) (job apiJob) {
	t.Helper()
	if status, _ := s.Ask(http.MethodPost, "/v1/jobs", body); status != http.StatusAccepted {
		t.Fatalf("POST /v1/jobs %s: got status %d", body, status)
	}
	program.Eventually(t, "the job ends", func() bool {
		job = program.Get[struct{ Jobs []apiJob }](s, "/v1/jobs", nil).Jobs[0]
		return job.State != "running"
	})
	return job
}

// What the command line trains and compares, a server does for whoever asks it by
// the API, with the collection's own models.
func TestAServerTrainsAndCompares(t *testing.T) {
	race.Long(t)
	home := stripes(t, 60)
	server := program.StartServer(t, "--data", home)
	job := started(t, server, `{"kind":"arena","profile":"me","confirm":true,"arena":{"models":["baseline","tiny"],"methods":["probe","last:1"],"folds":1,"epochs":1}}`)
	if job.State != "succeeded" || len(job.Result.Cells) != 4 || len(job.Result.Verdicts) == 0 {
		t.Fatalf("the arena: got %+v", job)
	}
	for _, c := range job.Result.Cells {
		if untrainable := c.Model == "baseline" && strings.HasPrefix(c.Method, "finetune"); untrainable != (c.Failed != "") {
			t.Errorf("%s by %s: got %q", c.Model, c.Method, c.Failed)
		}
	}
	if status := program.GetStatus(t, fmt.Sprintf("%s/v1/jobs/%d/page", server.URL, job.ID)); status != http.StatusOK {
		t.Errorf("its page: got status %d", status)
	}
	job = started(t, server, `{"kind":"finetune","profile":"me","confirm":true,"finetune":{"model":"tiny","method":"full","epochs":6,"learning_rate":0.002,"batch":8,"patience":0,"name":"mine"}}`)
	if job.State != "succeeded" || job.Result.Best.Number == 0 || job.Result.Model != "mine" {
		t.Fatalf("the fine-tuning: got %+v, want the model mine", job)
	}
	if choices := program.Get[struct{ Models []struct{ Name string } }](server, "/v1/models", nil); !strings.Contains(fmt.Sprint(choices), "{mine}") {
		t.Errorf("the model is not offered: %v", choices)
	}
	out := filepath.Join(t.TempDir(), "out")
	program.MustRun(t, "model", "export", "mine", "--out", out)
	program.MustRun(t, "model", "add", "drawn", filepath.Join(out, "model.onnx"))
	if status, _ := server.Ask(http.MethodPost, "/v1/jobs", `{"kind":"finetune","profile":"me","finetune":{"model":"drawn"}}`); status != http.StatusBadRequest {
		t.Errorf("an .onnx file: got status %d, want 400 before there is a job", status)
	}
	job = started(t, server, `{"kind":"finetune","profile":"me","finetune":{"model":"tiny","name":"another","token_cache":0,"method":"last:1"}}`)
	if job.State != "succeeded" || job.Result.Model != "" {
		t.Errorf("a cost: got %+v", job)
	}
}
