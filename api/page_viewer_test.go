package api_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/test/race"
)

// In the large view one goes on to the next picture and back, and closing it
// leads to the picture that was shown last; a verdict that was taken back comes
// back by U, to the picture that it was of.
func TestThePageTurnsFromPictureToPicture(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	ids := f.add(t, 5, blue, "Blau")
	step := stepping(t, ctx, complaints)
	const (
		shown    = `document.querySelector("dialog figcaption h2").textContent`
		previous = `document.querySelector("dialog .previous").getAttribute("aria-disabled")`
		next     = `document.querySelector("dialog .next").getAttribute("aria-disabled")`
	)
	step("open", chromedp.Navigate(f.url), eventually(cards, "5"), chromedp.Click(`.card > img`), eventually(shown, "Nº 5 — 夜"),
		eventually(previous, "true"), eventually(next, "false"))
	step("by key", chromedp.KeyEvent(kb.ArrowRight), eventually(shown, "Nº 4 — 夜"), eventually(previous, "false"), chromedp.KeyEvent(kb.ArrowRight), eventually(shown, "Nº 3 — 夜"),
		chromedp.KeyEvent(kb.ArrowLeft), eventually(shown, "Nº 4 — 夜"), screenshot("viewer"))
	step("by button", chromedp.Click(`dialog .next`), eventually(shown, "Nº 3 — 夜"), chromedp.Click(`dialog .next`), chromedp.Click(`dialog .next`), eventually(shown, "Nº 1 — 夜"), eventually(next, "true"),
		chromedp.KeyEvent(kb.ArrowRight), eventually(shown, "Nº 1 — 夜"))
	step("back at the last", chromedp.KeyEvent(kb.Escape), eventually(`document.querySelector("dialog").open`, "false"), eventually(focusedID, ids[0].String()))

	// The heart of the n-th card, wherever it is on the page.
	press := func(n int) chromedp.Action[chromedp.Void] {
		return eventually(fmt.Sprintf(`(document.querySelector(".card:nth-child(%d) .like").click(), "pressed")`, n), "pressed")
	}
	step("judge two", chromedp.KeyEvent("l"), eventually(tasteText, "1 liked, 0 disliked"), press(2), eventually(tasteText, "2 liked, 0 disliked"))
	step("take the first back", press(5), eventually(tasteText, "1 liked, 0 disliked"))
	step("undo that", chromedp.KeyEvent("u"), eventually(tasteText, "2 liked, 0 disliked"), eventually(toastText, "“Nº 1 — 夜” is liked again."))
	verdicts, err := f.catalog.StandingVerdicts(t.Context(), palate.DefaultProfile, []palate.ImageID{ids[0], ids[3]})
	must(t, err)
	if verdicts[ids[0]] != palate.Like || verdicts[ids[3]] != palate.Like {
		t.Errorf("got %v, want both liked", verdicts)
	}
	step("undo on", chromedp.KeyEvent("u"), eventually(toastText, "Taken back: like of “Nº 4 — 夜”."), eventually(tasteText, "1 liked, 0 disliked"))

	// Stars are given by key and by button; what they mean is shown, and undo
	// brings what was there before.
	const (
		given = `document.querySelector(".card:nth-child(5) .given").textContent`
		lit   = `document.querySelectorAll("dialog .stars [aria-pressed=true]").length`
		liked = `document.querySelector("dialog .verdicts .like").getAttribute("aria-pressed")`
	)
	step("stars by key", chromedp.Focus(`.card:nth-child(5)`), chromedp.KeyEvent("2"), eventually(given, "★★"), eventually(tasteText, "0 liked, 1 disliked"))
	step("look", chromedp.KeyEvent("\r"), eventually(lit, "2"))
	step("stars by button", chromedp.Click(`dialog .stars [value="5"]`), eventually(lit, "5"), eventually(liked, "true"),
		eventually(tasteText, "1 liked, 0 disliked"), screenshot("stars"))
	step("undo stars", chromedp.KeyEvent("u"), eventually(lit, "2"), eventually(liked, "false"), eventually(tasteText, "0 liked, 1 disliked"), chromedp.KeyEvent(kb.Escape))
	stars, err := f.catalog.StandingStars(t.Context(), palate.DefaultProfile, []palate.ImageID{ids[0]})
	must(t, err)
	if stars[ids[0]] != 2 {
		t.Errorf("got %v stars, want 2", stars)
	}
	if got := complaints(); len(got) > 0 {
		t.Errorf("the page complained: %v", got)
	}
}
