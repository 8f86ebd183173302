package api_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

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
	step := stepping(t, ctx, complaints)
	const focused = `document.activeElement.textContent`
	more := func(key string, jobs *int64) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			before := *jobs
			if _, err := chromedp.KeyEvent(key)(ctx, target); err != nil {
				return err
			}
			_, err := eventually(fmt.Sprintf(`Number(%s.dataset.job) > %d`, newestJob, before), "true")(ctx, target)
			return err
		})
	}
	var last int64
	step("open", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url+"/#/work"), eventually(`document.querySelectorAll("#finetune [name=model] option").length`, "3"),
		chromedp.Focus(`#learn > summary`), chromedp.KeyEvent(kb.Enter), eventually(`document.querySelector("#learn").open`, "true"), eventually(learnsInWidth, "true"),
		eventually(`document.querySelector("#finetune [name=model]").value`, "greys"),
		eventually(`[...document.querySelectorAll("#finetune option:disabled")].map((o) => o.textContent).join("; ")`, "colours: it is made of formulas and has no weights; gone: its file is not there"),
		screenshot("learn-phone"))
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
	step("what is there already is told where one looks", value(`#finetune [name=name]`, "greys"), chromedp.Click(`#finetune button[type=submit]`),
		eventually(`document.querySelector("#notice").hidden ? "" : document.querySelector("#notice").textContent.includes("another name")`, "true"),
		eventually(`document.querySelector("#finetune [name=name]").value`, "greys"), screenshot("learn-phone-refused"))
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
	id := newestID(t, ctx)
	page := fmt.Sprintf("/v1/jobs/%d/page", id)
	step("in Taste", eventually(newestJob+`.querySelector(".page").getAttribute("href")`, page), chromedp.Click(`[data-view=taste]`),
		eventually(`document.querySelector("#learned .ways a").getAttribute("href")`, page))
	step("its page", chromedp.Navigate(f.url+page), eventually(`document.querySelectorAll("svg").length`, "1"), screenshot("arena-page"))
	if all := complaints(); len(all) != 1 { // the refusal is one
		t.Errorf("the page complained: %v", all)
	}
}
