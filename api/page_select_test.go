package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/test/race"
)

// press presses a key with others held.
func press(key string, held ...chromedp.Modifier) chromedp.Action[chromedp.Void] {
	return chromedp.KeyEvent(key, chromedp.KeyModifiers(held...))
}

// clickWith clicks on the n-th card's picture with a key held, or none.
func clickWith(n int, held string) chromedp.Action[chromedp.Void] {
	return eventually(fmt.Sprintf(`(document.querySelectorAll(".card")[%d].querySelector(":scope > img").dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, [%q]: true })), "clicked")`, n, held), "clicked")
}

// Many pictures are selected by keys and by mouse, judged, deleted and brought
// back in one act; a range goes by the order of the list, also where it shrinks.
func TestManyPicturesAreSelectedAndJudgedInOneAct(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	ids := f.add(t, 80, red, "Roth")
	slices.Reverse(ids) // as the page shows them
	f.rate(t, palate.Like, ids[1])
	f.rate(t, palate.Dislike, ids[79])
	step := stepping(t, ctx, complaints)
	const firstFive = `[...document.querySelectorAll(".card")].slice(0, 5).map((c) => c.dataset.id).join()`
	five := fmt.Sprintf("%s,%s,%s,%s,%s", ids[0], ids[1], ids[2], ids[3], ids[4])
	standing := func(what string, likes, dislikes, skips int) {
		t.Helper()
		verdicts, err := f.catalog.StandingVerdicts(t.Context(), palate.DefaultProfile, ids)
		must(t, err)
		got := map[palate.Verdict]int{}
		for _, v := range verdicts {
			got[v]++
		}
		if got[palate.Like] != likes || got[palate.Dislike] != dislikes || got[palate.Skip] != skips {
			t.Errorf("%s: got %v, want %d likes, %d dislikes, %d skips", what, got, likes, dislikes, skips)
		}
	}
	const (
		picked = `document.querySelectorAll(".card.picked").length`
		count  = `document.querySelector("#selection").hidden ? "" : document.querySelector("#selection .count").textContent`
		said   = `document.querySelector("#told .said").textContent`
	)
	step("load", chromedp.Navigate(f.url+"/#/newest"), eventually(tasteText, "1 liked, 1 disliked"), eventually(`document.querySelector(".card .title").textContent`, "Nº 80 — 夜"))
	step("by keys", chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(" "), eventually(count, "1 selected"), eventually(said, "Nº 80 — 夜 is selected, 1 of 80 in all."),
		press(kb.ArrowRight, chromedp.ModifierShift), press(kb.ArrowRight, chromedp.ModifierShift), press(kb.ArrowRight, chromedp.ModifierShift), eventually(count, "4 selected"),
		press(kb.ArrowLeft, chromedp.ModifierShift), eventually(count, "3 selected"), eventually(picked, "3"), eventually(focusedID, ids[2].String()), screenshot("selected"))
	step("judge them", chromedp.KeyEvent("d"), eventually(toastText, "3 pictures: disliked. Undo"), eventually(count, ""), eventually(tasteText, "0 liked, 4 disliked"),
		eventually(`document.querySelectorAll(".card.dislike").length`, "3"))
	standing("disliked", 0, 4, 0)
	step("undo all of it", chromedp.KeyEvent("u"), eventually(toastText, "All of that is taken back."), eventually(tasteText, "1 liked, 1 disliked"),
		eventually(`[...document.querySelectorAll(".card")].slice(0, 3).map((c) => c.className).join()`, "card,card like,card"))
	standing("undone", 1, 1, 0)

	step("by mouse", clickWith(2, "ctrlKey"), clickWith(6, "shiftKey"), eventually(count, "5 selected"), clickWith(4, "shiftKey"), eventually(count, "3 selected"),
		clickWith(9, "none"), eventually(count, "4 selected"), clickWith(0, "shiftKey"), eventually(count, "10 selected"),
		eventually(`(document.querySelectorAll(".card .select")[1].click(), "clicked")`, "clicked"), eventually(count, "9 selected"))
	step("stars for them", eventually(`(() => { const s = document.querySelector("#selection select"); s.value = "2"; s.dispatchEvent(new Event("change")); return "given"; })()`, "given"),
		eventually(toastText, "9 pictures: ★★. Undo"), chromedp.Click(`#toast button`), eventually(toastText, "All of that is taken back."))
	standing("stars undone", 1, 1, 0)

	// The whole list, of which a part is in the page.
	step("all", press("a", chromedp.ModifierCtrl), eventually(count, "80 selected"), eventually(said, "80 of 80 in all."))
	step("Esc", chromedp.KeyEvent(kb.Escape), eventually(count, ""), eventually(said, "Nothing is selected."))
	step("take the verdicts of all back", press("a", chromedp.ModifierCtrl), chromedp.KeyEvent("c"), eventually(toastText, "2 pictures: not judged any more. Undo"), eventually(tasteText, "0 liked, 0 disliked"))
	standing("cleared", 0, 0, 0)
	step("undo", chromedp.KeyEvent("u"), eventually(tasteText, "1 liked, 1 disliked"))
	step("skip all, beyond what is in the page", press("a", chromedp.ModifierCtrl), chromedp.Click(`#selection [value=skip]`), eventually(toastText, "80 pictures: skipped. Undo"))
	standing("skipped", 0, 0, 80)
	step("undo", chromedp.KeyEvent("u"), eventually(toastText, "All of that is taken back."), eventually(tasteText, "1 liked, 1 disliked"), eventually(firstFive, five))

	step("delete", clickWith(1, "ctrlKey"), clickWith(3, "shiftKey"), eventually(count, "3 selected"), chromedp.KeyEvent(kb.Delete),
		eventually(toastText, "3 pictures deleted. They stay in the trash for 30 days. Undo"), eventually(`document.querySelector("#taste").textContent`, "0 liked, 1 disliked"),
		eventually(`document.querySelectorAll(".card")[1].dataset.id`, ids[4].String()))
	if got := len(f.deletions(t)); got != 3 {
		t.Errorf("%d are in the trash, want 3", got)
	}
	step("and back", chromedp.KeyEvent("u"), eventually(firstFive, five), eventually(tasteText, "1 liked, 1 disliked"))
	mustBeDeleted(t, "brought back", f)
	step("another list has a selection of its own", press("a", chromedp.ModifierCtrl), eventually(count, "80 selected"), chromedp.Click(`[data-view=liked]`), eventually(cards, "1"), eventually(count, ""))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// Twelve pictures are asked about at once: those that are picked are liked, the
// rest is disliked, with how they were chosen in the log, and undone as one.
func TestThePageTeachesByPiles(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t, func(c *taste.Config) { c.RetrainAfter = 40 })
	reds, blues := f.add(t, 20, red, "Roth"), f.add(t, 20, blue, "Blau")
	f.rate(t, palate.Like, reds[:3]...)
	f.rate(t, palate.Dislike, blues[:4]...)
	step := stepping(t, ctx, complaints)
	const (
		pile     = `document.querySelectorAll(".pile button").length`
		some     = `document.querySelectorAll(".pile button").length > 0` // what looks like the last ones does not come
		rest     = `document.querySelector(".rest").firstChild.textContent.trim()`
		learning = `document.querySelector("#learning").textContent.trim()`
		choose   = `(() => { const by = document.querySelector("#by"); by.value = %q; by.dispatchEvent(new Event("change")); return "chosen"; })()`
	)
	step("load", chromedp.Navigate(f.url+"/#/teach"), chromedp.WaitVisible(`#one > img`), eventually(learning, "2 likes and 1 dislike more, and I can learn"))
	step("twelve at once", chromedp.Click(`#together`), eventually(pile, "12"), eventually(rest, "None of these"), eventually(`[...document.querySelectorAll(".pile img")].every((i) => i.naturalWidth > 0)`, "true"), screenshot("pile"))
	step("pick two", chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("l"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(" "), eventually(rest, "Like 2, dislike the rest"))
	step("judge the pile", chromedp.KeyEvent("d"), eventually(toastText, "2 liked, 10 disliked. Undo"), eventually(tasteText, "5 liked, 14 disliked"),
		eventually(learning, "19 of 40 to the next learning"), eventually(`((p) => p.value + " of " + p.max)(document.querySelector("#learning progress"))`, "19 of 40"), eventually(rest, "None of these"), eventually(some, "true"))
	step("undo", chromedp.KeyEvent("u"), eventually(tasteText, "3 liked, 4 disliked"), eventually(pile, "12"))
	step("none of these", chromedp.Click(`.rest`), eventually(tasteText, "3 liked, 16 disliked"))
	// At random, and what I may like best: neither asks what was judged.
	for _, order := range []string{"random", "chance"} {
		step(order, eventually(fmt.Sprintf(choose, order), "chosen"), eventually(pile, "12"), eventually(`(document.querySelector("#many .skip").click(), "skipped")`, "skipped"), eventually(toastText, "12 skipped. Undo"),
			chromedp.KeyEvent("u"), eventually(toastText, "All of that is taken back."))
	}
	step("one by one again", chromedp.Click(`#together`), chromedp.WaitVisible(`#one > img`), eventually(`document.querySelector("#one .reason").textContent.startsWith("I think you like this")`, "true"),
		chromedp.KeyEvent("l"), eventually(tasteText, "4 liked, 16 disliked"))
	log, err := f.catalog.RatingLog(t.Context(), palate.DefaultProfile, 0, 1000)
	must(t, err)
	shown := map[palate.Shown]int{}
	for _, e := range log {
		if e.Undoes == 0 {
			shown[e.Shown]++
		}
	}
	if shown[palate.ShownQueueExplore] < 12 || shown[palate.ShownQueueTop] < 13 {
		t.Errorf("the log has them as shown so: %v", shown)
	}
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// Filters offer the values that there are, with counts, found by any part in
// any script.
func TestThePageOffersTheValuesThatThereAre(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 5, red, "葛飾北斎")
	f.add(t, 3, blue, "محمود سعيد")
	f.add(t, 2, blue, "राजा रवि वर्मा")
	step := stepping(t, ctx, complaints)
	const (
		values = `[...document.querySelectorAll("[data-values=%s] button")].map((b) => b.textContent).join()`
		chips  = `[...document.querySelectorAll(".chip")].map((c) => c.textContent).join()`
	)
	step("open", chromedp.Navigate(f.url), eventually(cards, "10"), chromedp.Click(`#filters summary`), eventually(fmt.Sprintf(values, "artist"), "葛飾北斎 5,محمود سعيد 3,राजा रवि वर्मा 2"),
		eventually(fmt.Sprintf(values, "licence"), "CC0 10"), eventually(fmt.Sprintf(values, "year"), "1900–1909 9,1910–1919 1"), screenshot("filters"))
	step("type", chromedp.SendKeys(`[name=artist]`, "रवि"), eventually(fmt.Sprintf(values, "artist"), "राजा रवि वर्मा 2"))
	step("choose", chromedp.Click(`[data-values=artist] button`), eventually(cards, "2"), eventually(chips, "Artist: राजा रवि वर्मा"))
	step("a decade instead", chromedp.Click(`.chip`), eventually(cards, "10"), chromedp.Click(`#filters summary`), chromedp.WaitVisible(`[data-values=year] button`), chromedp.Click(`[data-values=year] button`), eventually(cards, "9"), eventually(chips, "1900–1909"))

	const models = `document.querySelector("#filters .models").hidden`
	step("one model is no choice", chromedp.Click(`.chip`), eventually(cards, "10"), chromedp.Click(`#filters summary`), eventually(fmt.Sprintf(values, "licence"), "CC0 10"), eventually(fmt.Sprintf(values, "model"), "colours 10"), eventually(models, "true"))
	page, err := f.catalog.ListImages(t.Context(), catalog.ImageQuery{Limit: 4})
	must(t, err)
	must(t, f.catalog.PutModel(t.Context(), catalog.Model{ID: "f00d", Name: "other", Dim: 1}))
	for _, image := range page.Images {
		must(t, f.catalog.PutEmbeddings(t.Context(), "f00d", []catalog.ImageEmbedding{{ID: image.ID, Embedding: palate.Embedding{1}}}))
	}
	step("a model", chromedp.Navigate(f.url+"/?models#/newest"), eventually(cards, "10"), chromedp.Click(`#filters summary`), eventually(fmt.Sprintf(values, "model"), "colours 10,other 4"), eventually(models, "false"),
		chromedp.Click(`[data-values=model] button:last-child`), eventually(cards, "4"), eventually(chips, "Model: other"))
	step("by its address", chromedp.Navigate(f.url+"/?model#/newest?model=f00d"), eventually(cards, "4"), eventually(chips, "Model: other"), chromedp.Click(`.chip`), eventually(cards, "10"))

	// Copies are looked for, one picture of each work is shown, and the large view leads to the others.
	f.addCopy(t, red, 1, 3, "")
	f.addCopy(t, red, 1, 4, "")
	const (
		known = `document.querySelector("#filters .known").textContent`
		count = `document.querySelector("#count").textContent`
		shown = `document.querySelector("dialog figcaption h2").textContent`
	)
	step("look for copies", chromedp.Navigate(f.url+"/?again#/newest"), eventually(cards, "12"), chromedp.Click(`#filters summary`),
		eventually(known, "No copies are known. Not looked at for copies yet: 12."), chromedp.Click(`#filters .look`), eventually(known, "1 work has 3 pictures."))
	step("one of each", chromedp.Click(`#filters [name=collapse]`), chromedp.Click(`#filters form > button:last-child`), eventually(cards, "10"), eventually(chips, "one of each work"),
		eventually(`location.hash`, "#/newest?collapse=true"), eventually(count, "10 pictures · 2 copies are left out"),
		eventually(`document.querySelector(".card .copies").textContent`, "+2"), eventually(`document.querySelector(".card:has(.copies)").getAttribute("aria-label")`, "Copy 4 of Nº 1, and 2 copies"), screenshot("copies"))
	step("the others, by key", chromedp.Focus(`.card:has(.copies)`), chromedp.KeyEvent("\r"), eventually(shown, "Copy 4 of Nº 1"), eventually(`[...document.querySelectorAll("dialog .copied a")].map((a) => a.title + " " + a.textContent).join()`, "Copy 3 of Nº 1 180 × 120,Nº 1 — 夜 60 × 40"),
		chromedp.Focus(`dialog .copied a`), chromedp.KeyEvent("\r"), eventually(shown, "Copy 3 of Nº 1"), chromedp.KeyEvent("\x1b"))
	f.addCopy(t, red, 1, 2, "")
	step("kept in the address, and what came is told", chromedp.Reload(), eventually(count, "11 pictures · 2 copies are left out · 1 not looked at for copies yet"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

func TestWhatIsSaidOfManyIsAnsweredWithItsEntries(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 3, red, "Roth")
	f.rate(t, palate.Like, ids[0])
	body := func(verdict string) string {
		return fmt.Sprintf(`{"ratings":[{"image_id":%q,"verdict":%q,"shown":"gallery"},{"image_id":%q,"verdict":%q,"shown":"gallery"}]}`, ids[0], verdict, ids[1], verdict)
	}
	var said struct{ Added []int64 }
	must(t, json.Unmarshal(f.do(t, "POST", "/v1/profiles/me/ratings", body("like"), "Content-Type", "application/json").body, &said))
	if len(said.Added) != 1 {
		t.Fatalf("added %v, want the one that was not said before", said.Added)
	}
	var undone struct{ Entries []int64 }
	a := f.do(t, "POST", "/v1/profiles/me/ratings-undo", fmt.Sprintf(`{"entries":[%d]}`, said.Added[0]), "Content-Type", "application/json")
	must(t, json.Unmarshal(a.body, &undone))
	verdicts, err := f.catalog.StandingVerdicts(t.Context(), palate.DefaultProfile, ids)
	must(t, err)
	if len(undone.Entries) != 1 || len(verdicts) != 1 || verdicts[ids[0]] != palate.Like {
		t.Errorf("got %v and %v, want what was said before", undone, verdicts)
	}
}
