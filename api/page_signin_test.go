package api_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/palate-art/palate/test/race"
)

// A person opens the link, presses its one button and is at the pictures; when
// the session is over, the page leads to where one signs in.
func TestThePageIsSignedInToByALink(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 3, red, "Roth")
	g := f.guarded(t, nil)
	link, err := g.accounts.Invite(t.Context())
	must(t, err)
	step := stepping(t, ctx, complaints)
	const heading = `document.querySelector("h1").textContent`
	step("a stranger", chromedp.Navigate(g.URL), eventually(heading, "Sign in to palate"), eventually(`location.pathname`, "/sign-in"), screenshot("sign-in"))
	step("the link", chromedp.Navigate(g.URL+"/sign-in?code="+link), screenshot("sign-in-link"), chromedp.Click(`main button`), eventually(`location.pathname + document.readyState`, "/complete"))
	step("the pictures", chromedp.Click(`[data-view=newest]`), eventually(cards, "3"), eventually(`document.querySelector(".card img").naturalWidth > 0`, "true"))
	if got := complaints(); len(got) > 0 {
		t.Errorf("signed in, the page complained: %v", got)
	}
	sessions, err := g.accounts.List()
	must(t, err)
	if len(sessions) != 1 {
		t.Fatalf("got %+v, want one session", sessions)
	}
	_, err = g.accounts.Revoke(t.Context(), sessions[0].ID)
	must(t, err)
	step("signed out elsewhere", chromedp.Click(`.card .like`), eventually(`location.pathname`, "/sign-in"))
}
