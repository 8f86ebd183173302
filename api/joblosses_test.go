package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/tokens"
)

func TestWhatAJobLostIsListedPageByPage(t *testing.T) {
	f := newFixture(t)
	run, lease, err := f.catalog.StartRun(t.Context(), "import", "me")
	must(t, err)
	must(t, f.catalog.AddRunLosses(t.Context(), run.ID, []catalog.RunLoss{
		{Path: "/home/anna/art/a.svg", Reason: "unsupported_svg", What: "/home/anna/art/a.svg is SVG"},
		{Path: `C:\art\b.jpg`, Reason: "damaged", Kept: true, What: "its data end early"},
		{Path: "/home/anna/art/c.svg", Reason: "unsupported_svg", What: "SVG"},
	}))
	must(t, f.catalog.FinishRun(t.Context(), run.ID, catalog.Succeeded, nil, ""))
	must(t, lease.Release())
	g := f.guarded(t, nil)
	callers := map[string]string{"guest": g.token("guest", tokens.Rate, "guest"), "owner": g.token("owner", tokens.Admin)}
	get := func(caller, path string, into any) {
		t.Helper()
		must(t, json.Unmarshal(g.ask(http.MethodGet, path, "", "Authorization", callers[caller]).body, into))
	}
	var job api.Job
	get("guest", "/v1/jobs/1", &job)
	if job.Losses == nil || *job.Losses != 3 {
		t.Errorf("the job tells of %v losses, want 3", job.Losses)
	}
	for caller, want := range map[string]string{
		"owner": "/home/anna/art/a.svg|/home/anna/art/a.svg is SVG|false C:\\art\\b.jpg|its data end early|true /home/anna/art/c.svg|SVG|false",
		"guest": "a.svg|a.svg is SVG|false b.jpg|its data end early|true c.svg|SVG|false",
	} {
		var got []string
		for path, pages := "/v1/jobs/1/losses?limit=2", 0; path != "" && pages < 5; pages++ {
			var page api.JobLossList
			get(caller, path, &page)
			for _, l := range page.Losses {
				got = append(got, l.Path+"|"+l.What+"|"+map[bool]string{true: "true", false: "false"}[l.Kept])
			}
			if path = ""; page.NextCursor != nil {
				path = "/v1/jobs/1/losses?limit=2&cursor=" + *page.NextCursor
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s sees %q, want %q", caller, got, want)
		}
	}
	var page api.JobLossList
	get("owner", "/v1/jobs/1/losses?reason=damaged", &page)
	if len(page.Losses) != 1 || page.Losses[0].Reason != "damaged" {
		t.Errorf("of one reason: %+v", page)
	}
}
