package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/test/race"
)

// Of the newest job that the page shows.
const (
	newestJob   = `document.querySelector("#jobs > li")`
	newestState = newestJob + `.querySelector("strong").textContent + " " + ` + newestJob + `.querySelector(".state").textContent`
)

// figure is a named value of the newest job.
func figure(name string) string {
	return fmt.Sprintf(`[...%s.querySelectorAll(".figures div")].find((d) => d.querySelector("dt").textContent === %q).querySelector("dd").textContent`, newestJob, name)
}

// learnsInWidth says that nothing of Work is wider than the screen.
const learnsInWidth = `document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll("#work *")].every((e) => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; })`

const newestAgain = `#jobs > li:first-child .again`

// moreThan waits for a job beyond that one.
func moreThan(id *int64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := eventually(fmt.Sprintf(`Number(%s.dataset.job) > %d`, newestJob, *id), "true")(ctx, target)
		return err
	})
}

// shows waits until that job is the newest.
func shows(id int64) chromedp.Action[chromedp.Void] {
	return eventually(`Number(`+newestJob+`.dataset.job)`, fmt.Sprint(id))
}

// value sets a field as a person does.
func value(selector, text string) chromedp.Action[chromedp.Void] {
	return run(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; e.dispatchEvent(new Event("change", { bubbles: true })); })()`, selector, text))
}

// newestID is the number of the newest job that the page shows.
func newestID(t *testing.T, ctx context.Context) (id int64) {
	t.Helper()
	must(t, chromedp.Do(ctx, into(`Number(`+newestJob+`.dataset.job)`, &id)))
	return id
}

// On a phone and by keys alone, Work tells what a training costs before it begins,
// follows it, stops it and goes on with it, also after the page was loaded anew.
func TestThePageTrainsAModel(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.judged(t, 12)
	f.drawn = true
	step := stepping(t, ctx, complaints)
	const focused = `document.activeElement.textContent`
	more := func(key string, jobs *int64) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			if _, err := chromedp.KeyEvent(key)(ctx, target); err != nil {
				return err
			}
			_, err := moreThan(jobs)(ctx, target)
			return err
		})
	}
	var last int64
	step("open", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url+"/#/work"), eventually(`document.querySelectorAll("#finetune [name=model] option").length`, "4"),
		chromedp.Focus(`#learn > summary`), chromedp.KeyEvent(kb.Enter), eventually(`document.querySelector("#learn").open`, "true"), eventually(learnsInWidth, "true"),
		eventually(`document.querySelector("#finetune [name=model]").value`, "greys"),
		eventually(`[...document.querySelectorAll("#finetune option:disabled")].map((o) => o.textContent).join("; ")`, "gone: its file is not there"),
		screenshot("learn-phone"))
	const about, submits = `document.querySelector("#about-trained").textContent`, `document.querySelector("#finetune button[type=submit]").disabled`
	step("what can't be trained", value(`#finetune [name=model]`, "drawn"),
		eventually(about, "drawn can’t be trained: it is an .onnx file, whose weights can't be told from its operators. Your taste is learned on its embeddings all the same, by a probe."),
		eventually(submits, "true"), eventually(`document.querySelector("#finetune .instead:not([hidden])").textContent`, "Embed with drawn"), eventually(learnsInWidth, "true"), screenshot("learn-phone-untrainable"),
		value(`#finetune [name=model]`, "colours"), eventually(about+`.startsWith("colours can’t be trained: it is made of formulas")`, "true"), eventually(`document.querySelector("#finetune .instead").hidden`, "true"),
		value(`#finetune [name=model]`, "greys"), eventually(submits, "false"))
	step("which number goes with which way", eventually(`document.querySelector("#finetune [data-way=lora]").hidden`, "true"), value(`#finetune [name=way]`, "full"),
		eventually(`[...document.querySelectorAll("#finetune [data-way]")].every((l) => l.hidden)`, "true"), value(`#finetune [name=way]`, "lora"),
		eventually(`document.querySelector("#finetune [data-way=lora]").hidden`, "false"))
	must(t, chromedp.Do(ctx, into(`Number(`+newestJob+`?.dataset.job ?? 0)`, &last)))
	step("the cost", value(`#finetune [name=epochs]`, "10000"), run(`document.querySelector("#finetune details").open = true`), value(`#finetune [name=batch]`, "12"),
		chromedp.Focus(`#finetune [name=name]`), chromedp.KeyEvent("mine"), more(kb.Enter, &last),
		eventually(newestState, "Fine-tuning for me what it would cost"), eventually(figure("Rated pictures"), "24"),
		eventually(newestJob+`.querySelector(".subject").textContent`, "greys, as mine · LoRA of rank 8"), eventually(learnsInWidth, "true"), screenshot("learn-phone-cost"))
	last = newestID(t, ctx)
	step("begin by key", eventually(`document.activeElement === `+newestJob, "true"), chromedp.KeyEvent(kb.Tab), eventually(focused, "Begin"), more(kb.Enter, &last))
	step("it is told how it goes, and the key that stops it keeps the focus", eventually(newestJob+`.querySelector(".cancel") !== null`, "true"),
		chromedp.Focus(`#jobs > li:first-child .cancel`), eventually(figure("Epoch")+`.endsWith(" of 10000")`, "true"),
		eventually(figure("Balanced accuracy, held out")+`.length`, "5"), eventually(figure("Left, at most")+`.length > 0`, "true"), screenshot("learn-phone-trains"), eventually(focused, "Cancel"),
		chromedp.KeyEvent(kb.Enter), eventually(newestState, "Fine-tuning for me cancelled"), eventually(`document.activeElement === `+newestJob, "true"))
	last = newestID(t, ctx)
	step("load anew and go on", chromedp.Reload(), eventually(newestJob+`.querySelector(".again").textContent`, "Go on"),
		eventually(`document.querySelectorAll(".again:not([hidden])").length`, "1"), chromedp.Focus(`#jobs > li:first-child .again`), more(kb.Enter, &last),
		eventually(figure("Epoch")+`.endsWith(" of 10000")`, "true"))
	if job := f.told(t, newestID(t, ctx)); job.Progress == nil || job.Progress.Cost == nil || !job.Progress.Cost.Resumed {
		t.Errorf("going on: got %+v", job)
	}
	step("stop it", chromedp.Click(`#jobs > li:first-child .cancel`), eventually(newestState, "Fine-tuning for me cancelled"))
	step("begun anew over it", chromedp.Click(`#learn > summary`), eventually(`document.querySelector("#finetune [name=model]").value`, "greys"),
		run(`document.querySelector("#finetune details").open = true`), value(`#finetune [name=name]`, "mine"), chromedp.Click(`#finetune button[type=submit]`),
		eventually(newestState, "Fine-tuning for me failed"), eventually(newestJob+`.textContent.includes("was begun and not ended: go on with it")`, "true"),
		eventually(`[...document.querySelectorAll(".again:not([hidden])")].map((b) => b.textContent).join()`, "Go on"), screenshot("learn-phone-failed"))
	last = newestID(t, ctx)
	step("there is its Go on, with the settings that it was begun with", chromedp.Click(newestAgain), moreThan(&last), eventually(figure("Epoch")+`.endsWith(" of 10000")`, "true"),
		chromedp.Click(`#jobs > li:first-child .cancel`), eventually(newestState, "Fine-tuning for me cancelled"))
	var mine map[string]any
	must(t, json.Unmarshal(f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d", newestID(t, ctx)), "").body, &struct{ Progress *map[string]any }{&mine}))
	killed := f.dead(t, job.FineTune, mine)
	step("its server was killed", chromedp.Reload(), shows(killed), eventually(newestState, "Fine-tuning for me failed"), eventually(newestJob+`.textContent.includes("Its process ended before the work was done.")`, "true"))
	last = newestID(t, ctx)
	step("go on all the same", chromedp.Click(newestAgain), moreThan(&last), eventually(figure("Epoch")+`.endsWith(" of 10000")`, "true"),
		chromedp.Click(`#jobs > li:first-child .cancel`), eventually(newestState, "Fine-tuning for me cancelled"))
	step("its form", chromedp.Click(`#learn > summary`), eventually(`document.querySelector("#finetune [name=model]").value`, "greys"), run(`document.querySelector("#finetune details").open = true`))
	step("what is there already is told where one looks", value(`#finetune [name=name]`, "greys"), chromedp.Click(`#finetune button[type=submit]`),
		eventually(`document.querySelector("#notice").hidden ? "" : document.querySelector("#notice").textContent.includes("another name")`, "true"),
		eventually(`document.querySelector("#finetune [name=name]").value`, "greys"), screenshot("learn-phone-refused"))
	mine["stage"] = "features"
	killed = f.dead(t, job.FineTune, mine)
	step("what was killed before it trained has nothing to go on with", chromedp.Reload(), shows(killed), eventually(newestJob+`.querySelector(".again").textContent`, "Begin again"),
		chromedp.Click(`#learn > summary`), eventually(`document.querySelector("#finetune [name=model]").value`, "greys"), run(`document.querySelector("#finetune details").open = true`))
	step("its cost", value(`#finetune [name=name]`, "other"), value(`#finetune [name=epochs]`, "3"), value(`#finetune [name=batch]`, "12"), value(`#finetune [name=depth]`, "1"), chromedp.Click(`#finetune button[type=submit]`),
		eventually(newestState, "Fine-tuning for me what it would cost"), eventually(newestJob+`.querySelector(".subject").textContent`, "greys, as other · the last block"))
	step("to its end", chromedp.Click(`#jobs > li:first-child .again`), eventually(newestState, "Fine-tuning for me done"), eventually(`/^[123] of 3$/.test(`+figure("Best epoch")+`)`, "true"), eventually(learnsInWidth, "true"), screenshot("learn-phone-made"))
	step("and it is embedded with", eventually(newestJob+`.textContent.includes("Embedding the 24 pictures with it takes about ")`, "true"), chromedp.Click(`#jobs > li:first-child .pass`),
		eventually(newestState, "Embedding done"))
	step("at a desk", chromedp.EmulateViewport(1440, 900), screenshot("learn-desk"), dark(), screenshot("learn-desk-dark"), chromedp.EmulateViewport(360, 740), screenshot("learn-phone-dark"))
	if all := complaints(); len(all) != 1 { // the refusal is one
		t.Errorf("the page complained: %v", all)
	}
}

// Taste leads to the comparison of models; it is priced, held, and its verdict and
// its page are shown. Where ratings are too few, that is said.
func TestThePageComparesModels(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 1, red, "Roth")
	step := stepping(t, ctx, complaints)
	step("from Taste", chromedp.Navigate(f.url+"/#/taste"), eventually(`document.querySelectorAll("#learned .ways a").length`, "2"), chromedp.Click(`#learned .ways a`),
		eventually(`document.querySelector("#learn").open`, "true"), eventually(`document.activeElement.closest("form").id`, "arena"))
	step("too few ratings", run(`document.querySelector("#arena [value=colours]").click()`), chromedp.Click(`#arena .away summary`), chromedp.Click(`#arena [value=greys]`), chromedp.Click(`#arena button[type=submit]`), eventually(`document.querySelector("#notice").textContent.includes("0 likes and 0 dislikes")`, "true"))
	f.judged(t, 12)
	step("models and ways", chromedp.Click(`#arena [value=centroid]`),
		eventually(`[...document.querySelectorAll("#arena input:disabled")].map((i) => i.parentElement.textContent.trim()).join("; ")`, "gone: its file is not there"),
		screenshot("arena-desk"))
	step("the cost", chromedp.Click(`#arena button[type=submit]`),
		eventually(newestState, "Comparison of models for me what it would cost"), eventually(newestJob+`.querySelector(".subject").textContent`, "greys · probe, neighbours (knn)"), screenshot("arena-desk-cost"))
	step("compare", chromedp.Click(`#jobs > li:first-child .again`), eventually(newestState, "Comparison of models for me done"), eventually(newestJob+`.querySelectorAll(".verdict").length > 0`, "true"), screenshot("arena-desk-done"))
	for _, killed := range []bool{false, true} { // goes on with what was measured
		progress := map[string]any{"stage": "measuring", "arena": map[string]any{"models": []string{"greys"}, "methods": []string{"probe", "knn"}}}
		var left int64
		if killed {
			left = f.dead(t, job.Arena, progress)
		} else {
			j, err := job.Begin(t.Context(), f.catalog, job.Arena, "me")
			must(t, err)
			j.Tell(t.Context(), 1, 2, progress, true)
			must(t, j.End(t.Context(), catalog.Cancelled, nil, job.ErrCancelled))
			left = j.Run.ID
		}
		step("go on", chromedp.Reload(), shows(left), eventually(newestState+`+ `+newestJob+`.querySelector(".again").textContent`, "Comparison of models for me "+map[bool]string{false: "cancelled", true: "failed"}[killed]+"Go on"),
			chromedp.Click(newestAgain), eventually(newestState, "Comparison of models for me done"))
	}
	id := newestID(t, ctx)
	page := fmt.Sprintf("/v1/jobs/%d/page", id)
	step("in Taste", eventually(newestJob+`.querySelector(".page").getAttribute("href")`, page), chromedp.Click(`[data-view=taste]`),
		eventually(`document.querySelector("#learned .ways a").getAttribute("href")`, page))
	step("its page", chromedp.Navigate(f.url+page), eventually(`document.querySelectorAll("svg").length`, "1"), screenshot("arena-page"))
	if all := complaints(); len(all) != 1 { // the refusal is one
		t.Errorf("the page complained: %v", all)
	}
}
