package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/tokens"
)

func TestTheLogOfAJobIsReadLineByLine(t *testing.T) {
	f := newFixture(t)
	j, err := job.Begin(t.Context(), f.catalog, job.Crawl, "")
	must(t, err)
	j.Say(t.Context(), "It crawls /home/anna/seeds.")
	j.Warn(t.Context(), "The site asks to wait.")
	j.Tell(t.Context(), 3, 9, nil, true)
	g := f.guarded(t, nil)
	guest, owner := g.token("guest", tokens.Rate, "guest"), g.token("owner", tokens.Admin)
	get := func(path string, into any) {
		t.Helper()
		answer := g.ask(http.MethodGet, path, "", "Authorization", owner)
		if answer.status != http.StatusOK {
			t.Fatalf("%s: got status %d: %s", path, answer.status, answer.body)
		}
		must(t, json.Unmarshal(answer.body, into))
	}
	var stands api.Job
	get("/v1/jobs/1", &stands)
	if stands.Lines == nil || *stands.Lines != 2 {
		t.Errorf("under way the job tells of %v lines, want 2", stands.Lines)
	}
	must(t, j.End(t.Context(), "succeeded", nil, nil))
	var texts []string
	for path, pages := "/v1/jobs/1/log?limit=2", 0; path != "" && pages < 5; pages++ {
		var page api.JobLog
		get(path, &page)
		for _, l := range page.Lines {
			texts = append(texts, fmt.Sprintf("%d %v %s", l.Number, l.Warning != nil, l.Text))
		}
		if path = ""; page.NextCursor != nil {
			path = "/v1/jobs/1/log?limit=2&cursor=" + *page.NextCursor
		}
	}
	if want := []string{"1 false It crawls /home/anna/seeds.", "2 true The site asks to wait.", "3 false It is done."}; !slices.Equal(texts, want) {
		t.Errorf("got %q, want %q", texts, want)
	}
	var rest api.JobLog
	if get("/v1/jobs/1/log?cursor=2", &rest); len(rest.Lines) != 1 || rest.Lines[0].Number != 3 {
		t.Errorf("behind line 2: got %+v", rest)
	}
	if got := g.ask(http.MethodGet, "/v1/jobs/1/log", "", "Authorization", guest).status; got != http.StatusForbidden {
		t.Errorf("a guest gets status %d, want 403", got)
	}
	stands = api.Job{}
	must(t, json.Unmarshal(g.ask(http.MethodGet, "/v1/jobs/1", "", "Authorization", guest).body, &stands))
	if stands.Lines != nil {
		t.Errorf("a guest is told of %d lines, want nothing", *stands.Lines)
	}
}
