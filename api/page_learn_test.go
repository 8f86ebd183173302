package api_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// On a phone, Work tells what a fine-tuning and a comparison cost before they
// begin, begins them, and leads to what the comparison came to.
func TestThePageTrainsAndCompares(t *testing.T) {
	longRace(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.judged(t, 12)
	step := stepping(t, ctx, complaints)
	const newest = `document.querySelector("#jobs > li strong").textContent + " " + document.querySelector("#jobs > li .state").textContent`
	const said = `document.querySelector("#jobs > li p").textContent`
	const inWidth = `document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll("#work *")].every((e) => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; })`
	step("open", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url), chromedp.Click(`[data-view=work]`),
		eventually(`document.querySelectorAll("#finetune [name=model] option").length`, "2"), chromedp.Click(`#learn summary`), eventually(inWidth, "true"), screenshot("learn-phone"))
	step("the cost of a training", chromedp.SetValue(`#finetune [name=model]`, "greys"), chromedp.SetValue(`#finetune [name=method]`, "lora:8"),
		chromedp.SetValue(`#finetune [name=epochs]`, "2"), chromedp.SetValue(`#finetune [name=batch]`, "12"), chromedp.Click(`#finetune button`),
		eventually(newest, "Fine-tuning for me done"), eventually(said+`.startsWith("It will take")`, "true"), eventually(inWidth, "true"), screenshot("learn-phone-cost"))
	step("train", chromedp.Click(`#jobs > li .go`), eventually(`document.querySelectorAll("#jobs > li").length`, "2"), eventually(newest, "Fine-tuning for me done"),
		eventually(`/was made|No epoch was better/.test(`+said+`)`, "true"))
	step("the cost of a comparison", chromedp.Click(`#arena [value=greys]`), chromedp.Click(`#arena [value=knn]`), chromedp.Click(`#arena [value=centroid]`), chromedp.Click(`#arena button`),
		eventually(newest, "Comparison of models for me done"), eventually(said+`.startsWith("It will take")`, "true"))
	step("compare", chromedp.Click(`#jobs > li .go`), eventually(`document.querySelectorAll("#jobs > li").length`, "4"),
		eventually(`document.querySelector("#jobs > li .page")?.getAttribute("href")`, "/v1/jobs/4/page"), eventually(inWidth, "true"), screenshot("learn-phone-jobs"))
	step("its page", chromedp.EmulateViewport(1000, 1000), chromedp.Navigate(f.url+"/v1/jobs/4/page"), eventually(`document.querySelectorAll("svg").length`, "1"),
		eventually(`getComputedStyle(document.querySelector(".warnings")).backgroundColor`, "rgb(255, 244, 214)"), screenshot("learn-arena"))
}
