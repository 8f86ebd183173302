package api_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/race"
)

// screenshots names a folder that gets pictures of the page, for a person to
// look at.
var screenshots = os.Getenv("PALATE_SCREENSHOTS")

func screenshot(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if screenshots == "" {
			return nil
		}
		picture, err := chromedp.CaptureScreenshot()(ctx, target)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(screenshots, name+".png"), picture, 0o600)
	})
}

// deletions are the images in the trash, the last one first.
func (f *fixture) deletions(t *testing.T) (ids []palate.ImageID) {
	t.Helper()
	thrown, err := f.catalog.LatestTrash(t.Context(), time.Time{}, 100)
	must(t, err)
	for _, image := range thrown {
		ids = append(ids, image.ID)
	}
	return ids
}

func mustBeDeleted(t *testing.T, what string, f *fixture, want ...palate.ImageID) {
	t.Helper()
	got := f.deletions(t)
	if len(got) != len(want) {
		t.Errorf("%s: got %v in the trash, want %v", what, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: got %v in the trash, want %v", what, got, want)
		}
	}
}

const (
	cards     = `document.querySelectorAll(".card").length`
	tasteText = `document.querySelector("#taste").textContent.split(" · ")[0]`
	toastText = `document.querySelector("#toast").hidden ? "" : document.querySelector("#toast").textContent`
	firstID   = `document.querySelector(".card").dataset.id`
	focusedID = `document.activeElement.dataset.id`
)

// A deletion by mistake is one key away from being taken back, and a picture
// comes back to its place with what was said of it.
func TestThePageDeletesAndTakesBack(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "Blau")
	newest, second, third := blues[8], blues[7], blues[6]
	f.rate(t, palate.Like, newest)
	f.rate(t, palate.Dislike, reds[0])
	step := stepping(t, ctx, complaints)
	step("load", chromedp.Navigate(f.url), chromedp.Click(`[data-view=newest]`), eventually(cards, "18"), eventually(tasteText, "1 liked, 1 disliked"),
		eventually(`document.querySelector(".card img").naturalWidth > 0`, "true"))

	step("by key", chromedp.KeyEvent(kb.ArrowRight), eventually(focusedID, newest.String()), chromedp.KeyEvent(kb.Delete), eventually(cards, "17"),
		eventually(toastText, "Deleted “Nº 18 — 夜”. It stays in the trash for 30 days. Undo"), eventually(focusedID, second.String()),
		eventually(tasteText, "0 liked, 1 disliked"), screenshot("deleted"))
	mustBeDeleted(t, "by key", f, newest)
	step("undo by key", chromedp.KeyEvent("u"), eventually(firstID, newest.String()), eventually(focusedID, newest.String()),
		eventually(`document.querySelector(".card").classList.contains("like")`, "true"), eventually(tasteText, "1 liked, 1 disliked"),
		eventually(toastText, "“Nº 18 — 夜” is back."))
	mustBeDeleted(t, "taken back", f)

	step("by button", chromedp.Click(`.card:nth-child(2) .delete`), eventually(cards, "17"), chromedp.Click(`#toast button`),
		eventually(cards, "18"), eventually(`document.querySelector(".card:nth-child(2)").dataset.id`, second.String()))
	mustBeDeleted(t, "taken back by button", f)

	step("in the large view, by key", chromedp.Click(`.card:nth-child(3) > img`), chromedp.WaitVisible(`dialog figure img`), screenshot("large"),
		chromedp.KeyEvent(kb.Backspace), eventually(`document.querySelector("dialog").open`, "false"), eventually(cards, "17"))
	mustBeDeleted(t, "in the large view", f, third)
	step("by button there", chromedp.Click(`.card:nth-child(2) > img`), chromedp.WaitVisible(`dialog figcaption .delete`), chromedp.Click(`dialog figcaption .delete`),
		eventually(`document.querySelector("dialog").open`, "false"), eventually(cards, "16"))
	mustBeDeleted(t, "by button in the large view", f, second, third)

	// A verdict in between: U takes back one after the other.
	step("U goes back step by step", chromedp.KeyEvent("l"), eventually(tasteText, "2 liked, 1 disliked"),
		chromedp.KeyEvent("u"), eventually(tasteText, "1 liked, 1 disliked"), eventually(cards, "16"),
		chromedp.KeyEvent("u"), eventually(cards, "17"), chromedp.KeyEvent("u"), eventually(cards, "18"),
		eventually(`[...document.querySelectorAll(".card")].slice(0, 3).map((c) => c.dataset.id).join()`, newest.String()+","+second.String()+","+third.String()))
	mustBeDeleted(t, "all taken back", f)

	// The ranking loses the picture, gets it back to its place, and is the same.
	f.rate(t, palate.Like, reds[1:7]...)
	f.rate(t, palate.Dislike, blues[1:6]...)
	f.learn(t)
	const order = `[...document.querySelectorAll(".card")].map((c) => c.dataset.id + c.querySelector(".odds").textContent).join()`
	var before string
	step("for you", chromedp.Click(`[data-view=scores]`), eventually(cards, "18"), eventually(`document.querySelector(".odds").textContent.endsWith("%")`, "true"),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
			before, err = chromedp.Evaluate[string](order)(ctx, target)
			return err
		}),
		chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.Delete), eventually(cards, "17"), chromedp.KeyEvent("u"), eventually(cards, "18"))
	step("the same order", eventually(order, before), chromedp.Click(`[data-view=newest]`), eventually(cards, "18"),
		chromedp.Click(`[data-view=scores]`), eventually(order, before), chromedp.Click(`[data-view=newest]`), eventually(cards, "18"))

	// What is typed deletes nothing.
	step("search", chromedp.SendKeys(`#search`, "rothx"+kb.Backspace), eventually(cards, "9"))
	mustBeDeleted(t, "typed", f)
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// The trash shows what was deleted, gives it back, and is emptied only by who
// says so twice.
func TestThePageShowsTheTrash(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	ids := f.add(t, 8, red, "Roth")
	f.rate(t, palate.Like, ids[1])
	for _, id := range ids[:4] {
		must(t, f.collection.Remove(t.Context(), id, "no painting"))
	}
	f.follow(t)
	step := stepping(t, ctx, complaints)
	step("load", chromedp.Navigate(f.url), eventually(cards, "4"), chromedp.Click(`[data-view=trash]`), eventually(firstID, ids[3].String()), eventually(cards, "4"),
		eventually(`[...document.querySelectorAll(".card img")].every((i) => i.naturalWidth > 0)`, "true"), screenshot("trash"))
	step("restore by button", chromedp.Click(`.card .restore`), eventually(cards, "3"), eventually(toastText, "“Nº 4 — 夜” is back."))
	mustBeDeleted(t, "by button", f, ids[2], ids[1], ids[0])
	step("restore by key", eventually(focusedID, ids[2].String()), chromedp.KeyEvent(kb.ArrowRight), eventually(focusedID, ids[1].String()), chromedp.KeyEvent("r"), eventually(cards, "2"),
		eventually(tasteText, "1 liked, 0 disliked"))
	mustBeDeleted(t, "by key", f, ids[2], ids[0])
	step("judging and deleting mean nothing there", chromedp.KeyEvent("l"), chromedp.KeyEvent(kb.Delete), chromedp.KeyEvent(kb.Enter),
		eventually(`document.querySelector("dialog").open`, "false"))
	mustBeDeleted(t, "other keys", f, ids[2], ids[0])
	step("once is not enough", chromedp.Click(`#empty-trash`), eventually(`document.querySelector("#empty-trash").textContent`, "Really delete all for good?"))
	mustBeDeleted(t, "asked", f, ids[2], ids[0])
	must(t, f.collection.Remove(t.Context(), ids[7], "meanwhile, elsewhere")) // was never shown: it stays
	step("twice is", chromedp.Click(`#empty-trash`), eventually(cards, "0"), eventually(toastText, "2 pictures are gone for good."),
		eventually(`document.querySelector("#end").textContent`, "The trash is empty."))
	mustBeDeleted(t, "emptied", f, ids[7])
	step("back", chromedp.Click(`[data-view=newest]`), eventually(cards, "5"), eventually(`document.querySelector("#trash").hidden`, "true"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// On a phone: from the large view and from Teach, with the way back in reach.
func TestThePageDeletesOnAPhone(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	ids := f.add(t, 30, red, "Roth")
	step := stepping(t, ctx, complaints)
	inReach := func(selector string) chromedp.Action[chromedp.Void] {
		return eventually(`(() => { const b = document.querySelector("`+selector+`"), r = b.getBoundingClientRect();
			return r.height >= 24 && r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight && b.contains(document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)); })()`, "true")
	}
	const noWider = `document.documentElement.scrollWidth <= innerWidth`
	step("load", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url), eventually(cards, "30"), eventually(noWider, "true"), inReach(".tab"), inReach("[data-view=trash]"), screenshot("phone"))
	step("large view", chromedp.Click(`.card > img`), chromedp.WaitVisible(`dialog figure img`),
		eventually(`(document.querySelector("dialog figcaption .delete").scrollIntoView({ block: "nearest" }), "scrolled")`, "scrolled"),
		inReach("dialog figcaption .delete"), eventually(`document.querySelectorAll("dialog .strip a").length > 0`, "true"), screenshot("phone-large"),
		chromedp.Click(`dialog figcaption .delete`), eventually(cards, "29"), inReach("#toast button"), screenshot("phone-deleted"))
	mustBeDeleted(t, "large view", f, ids[29])
	step("undo", chromedp.Click(`#toast button`), eventually(cards, "30"), eventually(firstID, ids[29].String()))
	mustBeDeleted(t, "undone", f)

	const asked = `document.querySelector("#teach").dataset.id`
	var before, after string
	read := func(into *string) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
			*into, err = chromedp.Evaluate[string](asked)(ctx, target)
			return err
		})
	}
	step("teach", chromedp.Click(`[data-view=teach]`), chromedp.WaitVisible(`#one > img`), inReach("#teach .delete"), read(&before), screenshot("phone-teach"))
	step("delete there", chromedp.Click(`#teach .delete`), eventually(asked+` !== "`+before+`"`, "true"), inReach("#toast button"), inReach("#teach [data-verdict=like]"), read(&after))
	if thrown := f.deletions(t); len(thrown) != 1 || thrown[0].String() != before {
		t.Errorf("got %v in the trash, want %s, which was asked about", thrown, before)
	}
	step("undo there", chromedp.Click(`#toast button`), eventually(asked, before))
	mustBeDeleted(t, "undone in Teach", f)
	ratings, err := f.catalog.StandingRatings(t.Context(), palate.DefaultProfile, catalog.RatingQuery{Limit: 10})
	if must(t, err); len(ratings) != 0 {
		t.Errorf("deleting judged: %+v", ratings)
	}
	step("trash", chromedp.Click(`[data-view=newest]`), eventually(cards, "30"), chromedp.Click(`.card:nth-child(2) .like`), eventually(tasteText, "1 liked, 0 disliked"),
		chromedp.Click(`.card > img`), chromedp.WaitVisible(`dialog figcaption .delete`),
		chromedp.Click(`dialog figcaption .delete`), eventually(cards, "29"), chromedp.Click(`[data-view=trash]`), eventually(cards, "1"), inReach(".restore"),
		eventually(noWider, "true"), screenshot("phone-trash"), chromedp.Click(`.restore`), eventually(cards, "0"),
		chromedp.KeyEvent("u"), eventually(tasteText, "0 liked, 0 disliked")) // the deletion is taken back already
	mustBeDeleted(t, "restored", f)
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}
