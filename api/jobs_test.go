package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/catalog"
)

// Long work is asked about while another process does it.
func TestJobsTellHowFarTheyAreAndHowTheyEnded(t *testing.T) {
	f := newFixture(t)
	run, _, err := f.catalog.StartRun(t.Context(), "crawl", "")
	must(t, err)
	path := fmt.Sprintf("/v1/jobs/%d", run.ID)
	want := func(what string, fields map[string]any) {
		t.Helper()
		a := f.do(t, "GET", path, "")
		for name, value := range fields {
			if got := a.field(t, name); fmt.Sprint(got) != fmt.Sprint(value) {
				t.Errorf("%s: got %s %v, want %v: %s", what, name, got, value, a.body)
			}
		}
	}
	want("begun", map[string]any{"kind": "crawl", "state": "running", "done": 0, "total": nil, "finished_at": nil, "profile": nil})
	must(t, f.catalog.UpdateRun(t.Context(), run.ID, 7, 20, nil))
	want("under way", map[string]any{"state": "running", "done": 7, "total": 20})
	must(t, f.catalog.FinishRun(t.Context(), run.ID, catalog.Failed, json.RawMessage(`{"kept":7}`), "the disk is full"))
	want("failed", map[string]any{"state": "failed", "error": "the disk is full", "result": map[string]any{"kept": 7}})
	if a := f.do(t, "GET", path, ""); a.field(t, "finished_at") == nil {
		t.Errorf("a job that ended does not say when: %s", a.body)
	}
}

func TestJobsAreListedTheNewestFirstPageByPage(t *testing.T) {
	f := newFixture(t)
	var want []int64
	for range 5 {
		run, _, err := f.catalog.StartRun(t.Context(), "embed", "")
		must(t, err)
		want = append(want, run.ID)
	}
	slices.Reverse(want)
	var got []int64
	for query, pages := "limit=2", 0; query != ""; pages++ {
		var page struct {
			Jobs []struct{ ID int64 }
			Next string `json:"next_cursor"`
		}
		must(t, json.Unmarshal(f.do(t, "GET", "/v1/jobs?"+query, "").body, &page))
		for _, job := range page.Jobs {
			got = append(got, job.ID)
		}
		if query = ""; page.Next != "" && pages < 5 {
			query = "limit=2&cursor=" + page.Next
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got jobs %v, want %v", got, want)
	}
}
