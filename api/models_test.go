package api_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/test/race"
)

func TestModelsAreListedAndChosen(t *testing.T) {
	f := newFixture(t)
	f.add(t, 1, red, "Roth")
	a := f.do(t, "GET", "/v1/models", "")
	var list api.ModelList
	must(t, json.Unmarshal(a.body, &list))
	if a.status != http.StatusOK || len(list.Models) != 3 || list.Upgrade == nil || list.Upgrade.To != "as it is" {
		t.Fatalf("got status %d and %s", a.status, a.body)
	}
	if m := list.Models[1]; m.Name != "greys" || m.State != "not_pulled" || *m.Bytes != 88e6 || *m.Licence != "MIT" || m.Serves {
		t.Errorf("got %+v", m)
	}
	if m := list.Models[2]; *m.Problem != "no such file" || !reflect.DeepEqual(*m.Guessed, []string{"mean"}) {
		t.Errorf("got %+v", m)
	}
	for _, wanted := range []map[string]any{{"kind": "embed", "model": "greys"}, {"kind": "embed", "upgrade": true}} {
		run := f.waitFor(t, jobID(t, f.start(t, wanted)))
		var result struct{ To string }
		must(t, json.Unmarshal(run.Result, &result))
		if want, _ := wanted["model"].(string); run.State != "succeeded" || run.Kind != "embed" || result.To != want {
			t.Errorf("%v: got %+v", wanted, run)
		}
	}
}

func TestThePageEmbedsWithAnotherModel(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 3, red, "Roth")
	step := stepping(t, ctx, complaints)
	const jobs = `document.querySelectorAll("#jobs > li").length`
	step("open", chromedp.Navigate(f.url), eventually(cards, "3"), chromedp.Click(`[data-view=work]`),
		eventually(`document.querySelectorAll("#model option").length`, "3"), eventually(`document.querySelector("#model").value`, "colours"),
		eventually(`document.querySelector("#pass").disabled`, "true"), eventually(jobs, "1"))
	step("choose", chromedp.Focus(`#model`), chromedp.KeyEvent("g"), // a list that is typed into
		eventually(`document.querySelector("#model").value`, "greys"),
		eventually(`document.querySelector("#about-model").textContent`, "mean greys · licence: MIT · its weights come from the model hub: 88 MB"))
	step("embed", chromedp.Click(`#pass`), eventually(jobs, "2"), eventually(`document.querySelector("#jobs > li .state").textContent`, "done"), screenshot("work"))
	step("upgrade", chromedp.Click(`#upgrade button`), eventually(jobs, "3"), eventually(`document.querySelector("#jobs > li .state").textContent`, "done"))
	runs, err := f.catalog.ListRuns(t.Context(), 0, 10)
	must(t, err)
	if len(runs) != 3 || runs[0].State != "succeeded" || string(runs[1].Kind) != "embed" {
		t.Errorf("got %+v", runs)
	}
	step("and back", chromedp.Click(`[data-view=newest]`), eventually(cards, "3"), eventually(`document.querySelector("#work").hidden`, "true"))
	if got := complaints(); len(got) > 0 {
		t.Errorf("the page complained: %v", got)
	}
}
