package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/race"
)

// judged has a taste: what is red is liked, what is blue is not.
func (f *fixture) judged(t *testing.T, each int) {
	t.Helper()
	f.rate(t, palate.Like, f.add(t, each, red, "Roth")...)
	f.rate(t, palate.Dislike, f.add(t, each, blue, "Blau")...)
}

// learning is what is asked of a fine-tuning of the tiny model.
func learning(more map[string]any) map[string]any {
	settings := map[string]any{"model": "greys", "method": "last:1", "epochs": 1, "batch": 12}
	for key, value := range more {
		settings[key] = value
	}
	return map[string]any{"kind": "finetune", "profile": "me", "finetune": settings}
}

// What can't be learned so is said before anything begins.
func TestLearningThatCantBeginIsRefused(t *testing.T) {
	f := newFixture(t)
	f.judged(t, 10)
	for _, id := range f.add(t, 12, red, "Roth") {
		_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: "kind", Image: id, Verdict: palate.Like, Shown: palate.ShownGallery})
		must(t, err)
	}
	before, err := f.catalog.ListRuns(t.Context(), 0, 10)
	must(t, err)
	arena := func(settings map[string]any) map[string]any {
		return map[string]any{"kind": "arena", "profile": "me", "arena": settings}
	}
	for what, tc := range map[string]struct {
		request map[string]any
		status  int
		says    string
	}{
		"no settings":              {map[string]any{"kind": "finetune", "profile": "me"}, 400, "with the model to train"},
		"no profile":               {map[string]any{"kind": "finetune", "finetune": map[string]any{"model": "greys"}}, 400, "needs a profile"},
		"another kind's":           {map[string]any{"kind": "embed", "finetune": map[string]any{"model": "greys"}}, 400, "finetune goes with finetune"},
		"confirming a crawl":       {map[string]any{"kind": "crawl", "seeds": []string{"https://a.example/"}, "confirm": true}, 400, "confirm goes with"},
		"a method there is not":    {learning(map[string]any{"method": "half"}), 400, "last:N"},
		"no blocks":                {learning(map[string]any{"method": "last:0"}), 400, "last:N"},
		"a variation there is not": {learning(map[string]any{"augment": "rotate"}), 400, "mirror, crop"},
		"a rate of 1":              {learning(map[string]any{"learning_rate": 1}), 400, "learning_rate"},
		"a negative seed":          {learning(map[string]any{"seed": -1}), 400, "seed"},
		"what nobody knows":        {learning(map[string]any{"optimizer": "sgd"}), 400, "optimizer"},
		"the built-in model":       {learning(map[string]any{"model": "baseline"}), 400, "no weights that can be trained"},
		"an .onnx file":            {learning(map[string]any{"model": "drawn"}), 400, "a probe can be learned on its embeddings"},
		"a model nobody added":     {learning(map[string]any{"model": "a-stranger"}), 404, "a-stranger"},
		"a file":                   {learning(map[string]any{"model": "/etc/passwd"}), 400, "model"},
		"a name that is taken":     {learning(map[string]any{"name": "greys"}), 409, "another name"},
		"too few ratings":          {map[string]any{"kind": "finetune", "profile": "guest", "finetune": map[string]any{"model": "greys"}}, 409, "0 likes and 0 dislikes"},
		"likes alone":              {map[string]any{"kind": "finetune", "profile": "kind", "finetune": map[string]any{"model": "greys"}}, 409, "too few ratings: 12 likes and 0 dislikes; 10 more dislikes"},
		"an arena of nothing":      {map[string]any{"kind": "arena", "profile": "me"}, 400, "with the models that take part"},
		"an arena of no models":    {arena(map[string]any{"models": []string{}}), 400, "models"},
		"a way there is not":       {arena(map[string]any{"models": []string{"greys"}, "methods": []string{"forest"}}), 400, "lora:R"},
		"an arena of a stranger":   {arena(map[string]any{"models": []string{"greys", "a-stranger"}}), 404, "a-stranger"},
		"six folds":                {arena(map[string]any{"models": []string{"greys"}, "folds": 6}), 400, "folds"},
		"an arena without ratings": {map[string]any{"kind": "arena", "profile": "guest", "arena": map[string]any{"models": []string{"greys"}}}, 409, "0 likes and 0 dislikes"},
	} {
		a := f.start(t, tc.request)
		if a.status != tc.status || !strings.Contains(string(a.body), tc.says) {
			t.Errorf("%s: got status %d, want %d and that it says %q: %s", what, a.status, tc.status, tc.says, a.body)
		}
	}
	if runs, err := f.catalog.ListRuns(t.Context(), 0, 10); err != nil || len(runs) > len(before) {
		t.Errorf("%d jobs were begun, %v", len(runs)-len(before), err)
	}
}

// learningJob is what the API tells of a job that learns.
type learningJob struct {
	State, Error string
	Result       struct {
		Cost *struct {
			Seconds float64
			Resumed bool
		}
		Model   string
		History []struct {
			Number int `json:"epoch"`
		}
		Parent   string
		Curves   string
		Verdicts []string
		Best     *struct{ Number int }
	}
	Progress *struct {
		Stage string
		Begun bool
		Epoch int
		Loss  *float64
		Cost  *struct {
			Seconds        float64
			Pictures       int
			Memory         int64 `json:"memory_bytes"`
			Resumed        bool
			PictureSeconds float64 `json:"picture_seconds"`
		}
		FineTune map[string]any `json:"finetune"`
		Balanced *float64       `json:"balanced_accuracy"`
	}
}

func (f *fixture) told(t *testing.T, id int64) (job learningJob) {
	t.Helper()
	must(t, json.Unmarshal(f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d", id), "").body, &job))
	return job
}

// A fine-tuning tells its cost and leaves it at that; confirmed it begins, tells
// how it goes, stops when it is asked to, and goes on.
func TestAFineTuningIsStartedStoppedAndGoneOnWith(t *testing.T) {
	race.Long(t)
	f := newFixture(t)
	f.judged(t, 12)
	id := jobID(t, f.start(t, learning(nil)))
	f.waitFor(t, id)
	priced := f.told(t, id)
	if priced.State != "succeeded" || priced.Result.Cost == nil || priced.Result.Cost.Seconds <= 0 || priced.Progress == nil || priced.Progress.Stage != "ready" ||
		priced.Progress.Cost.Pictures != 24 || priced.Progress.Cost.Memory <= 0 {
		t.Fatalf("the cost: got %+v", priced)
	}
	if left, err := os.ReadDir(f.models + "-trained"); err == nil && len(left) > 0 {
		t.Errorf("finding out the cost left %v", left)
	}
	run, epochs, stopped := f.stopped(t)
	again := jobID(t, f.start(t, run))
	f.waitFor(t, again)
	if job := f.told(t, again); job.State != "failed" || !strings.Contains(job.Error, "was begun and not ended: go on with it") || strings.Contains(job.Error, "--") ||
		strings.Contains(job.Error, f.models) || !job.Progress.Begun {
		t.Errorf("begun anew over what was stopped: got %+v", job)
	}
	// What it was asked for is told, so that whoever finds it can go on with it.
	asked := f.told(t, stopped).Progress.FineTune
	asked["resume"] = true
	goesOn := map[string]any{"kind": "finetune", "profile": "me", "finetune": asked}
	again = jobID(t, f.start(t, goesOn))
	f.waitFor(t, again)
	if job := f.told(t, again); job.State != "succeeded" || job.Result.Cost == nil || !job.Result.Cost.Resumed {
		t.Errorf("the cost of going on: got %+v", job)
	}
	goesOn["confirm"] = true
	again = jobID(t, f.start(t, goesOn))
	f.waitFor(t, again)
	job := f.told(t, again)
	if job.State != "succeeded" || job.Result.Parent != "greys" || job.Result.Best == nil || job.Result.Curves != "" || !job.Progress.Cost.Resumed || job.Progress.Cost.PictureSeconds <= 0 {
		t.Fatalf("to the end: got %+v", job)
	}
	if n := len(job.Result.History); n != epochs+1 || job.Result.History[n-1].Number != epochs {
		t.Errorf("to the end: got %d epochs, want all %d after the beginning", n, epochs)
	}
	if made := job.Result.Model; made != "" && made != asked["name"] {
		t.Errorf("to the end: got the model %q, want %q", made, asked["name"])
	}
	if f.do(t, "DELETE", fmt.Sprintf("/v1/jobs/%d", again), "").status != http.StatusConflict {
		t.Error("what has ended can be stopped")
	}
}

// stopped begins a fine-tuning and stops it while it trains; id is its job.
func (f *fixture) stopped(t *testing.T) (request map[string]any, epochs int, id int64) {
	t.Helper()
	for epochs = 100; epochs < 1_000_000; epochs *= 5 { // where so many are over before it is stopped, more are not
		request = learning(map[string]any{"epochs": epochs, "patience": 0, "name": fmt.Sprintf("mine-%d", epochs), "seed": 3})
		request["confirm"] = true
		id = jobID(t, f.start(t, request))
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			job := f.told(t, id)
			if p := job.Progress; p != nil && p.Stage == "training" && p.Epoch > 0 && p.Loss != nil && p.Balanced != nil && p.Cost != nil {
				break
			}
			if job.State == "succeeded" {
				break
			}
			if job.State != "running" || time.Now().After(deadline) {
				t.Fatalf("got %+v, want that it trains and says how", job)
			}
		}
		a := f.do(t, "DELETE", fmt.Sprintf("/v1/jobs/%d", id), "")
		ended := f.waitFor(t, id)
		if ended.State == catalog.Cancelled && a.status == http.StatusAccepted {
			return request, epochs, id
		}
		if ended.State != catalog.Succeeded {
			t.Fatalf("stopping it: got status %d, %s: %s", a.status, ended.State, ended.Error)
		}
	}
	t.Fatal("every training had ended before it was stopped")
	return nil, 0, 0
}

// An arena tells its cost; confirmed it gives a table, verdicts and a page.
func TestAnArenaIsHeldAndShown(t *testing.T) {
	f := newFixture(t)
	f.judged(t, 12)
	request := map[string]any{"kind": "arena", "profile": "me", "arena": map[string]any{"models": []string{"greys"}, "methods": []string{"probe", "centroid", "last:1"}}}
	id := jobID(t, f.start(t, request))
	f.waitFor(t, id)
	page := fmt.Sprintf("/v1/jobs/%d/page", id)
	if job := f.told(t, id); job.State != "succeeded" || job.Result.Cost == nil || len(job.Result.Verdicts) > 0 {
		t.Errorf("the cost: got %+v", job)
	}
	if a := f.do(t, "GET", page, ""); a.status != http.StatusNotFound {
		t.Errorf("a page of a cost: got status %d", a.status)
	}
	request["confirm"] = true
	id = jobID(t, f.start(t, request))
	f.waitFor(t, id)
	job := f.told(t, id)
	if job.State != "succeeded" || len(job.Result.Verdicts) == 0 || job.Progress.Stage != "measuring" {
		t.Fatalf("got %+v", job)
	}
	if a := f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d", id), ""); strings.Contains(string(a.body), "predictions") {
		t.Errorf("a job lists its predictions: %.300s", a.body)
	}
	a := f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d/page", id), "")
	verdict := strings.ToUpper(job.Result.Verdicts[0][:1]) + job.Result.Verdicts[0][1:]
	if policy := a.header.Get("Content-Security-Policy"); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") ||
		!strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") {
		t.Errorf("the page: got %d, %v", a.status, a.header)
	}
	if html := string(a.body); !strings.Contains(html, "greys has no weights that can be trained<") {
		t.Error("the page does not say, for people, why a way could not be judged")
	}
	if html := string(a.body); !strings.Contains(html, "<svg") || !strings.Contains(html, verdict) || !strings.Contains(html, "centroid") {
		t.Errorf("the page lacks its plot, its verdict %q or its table", verdict)
	}
}
