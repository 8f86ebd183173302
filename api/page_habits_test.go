package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/test/race"
)

// What people do without thinking: Enter opens and leaves open, the same key
// twice says the same, U says what it took back and brings it back.
func TestThePageDoesWhatHandsExpect(t *testing.T) {
	ctx, complaints := browser(t)
	f := newFixture(t)
	ids := f.add(t, 12, red, "Roth")
	step := stepping(t, ctx, complaints)
	verdict := func(id palate.ImageID) palate.Verdict {
		t.Helper()
		verdicts, err := f.catalog.StandingVerdicts(t.Context(), palate.DefaultProfile, []palate.ImageID{id})
		must(t, err)
		return verdicts[id]
	}
	newest := ids[len(ids)-1]
	const first, taste = `document.querySelector(".card")`, `document.querySelector("#taste").textContent`
	step("load", chromedp.Navigate(f.url), eventually(`document.querySelectorAll(".card").length`, "12"))
	step("it can be installed", installable())
	const keys = `document.querySelector("#keys").open`
	step("? shows the keys", chromedp.KeyEvent("?"), eventually(keys, "true"), chromedp.KeyEvent("d"), screenshot("keys"), chromedp.KeyEvent(kb.Escape), eventually(keys, "false"), eventually(taste, "0 liked, 0 disliked"))
	step("/ searches, and the tab says the view", chromedp.KeyEvent("/"), eventually(`document.activeElement.id`, "search"), run(`document.activeElement.value = "nothing"; document.activeElement.dispatchEvent(new Event("input"))`), eventually(`document.querySelector("#count").textContent`, "0 pictures"),
		value(`#search`, ""), run(`document.querySelector("#search").dispatchEvent(new Event("input")); document.activeElement.blur()`), eventually(`document.querySelectorAll(".card").length`, "12"), eventually(`document.title`, "Newest · palate"))
	step("Enter opens", chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.Enter),
		eventually(`document.querySelectorAll("dialog .strip a").length > 0`, "true"), eventually(`document.querySelector("dialog").open`, "true"))
	step("back", chromedp.KeyEvent(kb.Escape), eventually(`document.querySelector("dialog").open`, "false"))
	step("D and D again", chromedp.KeyEvent("d"), eventually(taste, "0 liked, 1 disliked"),
		chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent("d"), eventually(first+`.classList.contains("dislike")`, "true"))
	if got := verdict(newest); got != palate.Dislike {
		t.Errorf("after D twice the verdict is %q, want dislike", got)
	}
	step("skip shows", chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("s"), eventually(`document.querySelectorAll(".card.skip").length`, "1"))
	step("U says what", chromedp.KeyEvent("u"), eventually(`document.querySelector("#toast").textContent.startsWith("Taken back: skip of “")`, "true"),
		eventually(`document.querySelectorAll(".card.skip").length`, "0"))

	// The server is away: what is said is kept, told where the eyes are, and
	// sent when it is back.
	step("away", eventually(`(() => { window.kept = window.fetch; window.fetch = () => Promise.reject(new TypeError("away")); return "done"; })()`, "done"),
		chromedp.KeyEvent("l"), eventually(`document.querySelector("#unsent").hidden`, "false"),
		eventually(`document.querySelector("#unsent").getBoundingClientRect().bottom <= innerHeight`, "true"),
		eventually(taste, "1 liked, 1 disliked"))
	step("back again", eventually(`(() => { window.fetch = window.kept; return "done"; })()`, "done"),
		eventually(`document.querySelector("#unsent").hidden`, "true"), eventually(`document.querySelector("#toast").textContent`, "Everything that was kept is saved."))
	if summary, err := f.catalog.Profiles(t.Context()); err != nil || len(summary) != 1 || summary[0].Likes != 1 {
		t.Errorf("got %+v and %v, want the like that was kept", summary, err)
	}
}

// installable says that nothing keeps a browser from offering to install the page
// as an app, and that all of its manifest is understood. The tests' windows are
// private ones, which offer it for no page.
func installable() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		manifest, err := cdp.Call(ctx, target, page.GetAppManifest, page.GetAppManifestParams{})
		if err != nil {
			return err
		}
		if len(manifest.Errors) > 0 || manifest.Manifest == nil || len(manifest.Manifest.Icons) != 3 || !strings.EqualFold(strings.TrimPrefix(manifest.Manifest.Display, "k"), "standalone") {
			return fmt.Errorf("the manifest is read as %+v with %d errors: %s", manifest.Manifest, len(manifest.Errors), manifest.Data)
		}
		missing, err := cdp.Call(ctx, target, page.GetInstallabilityErrors, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, m := range missing.InstallabilityErrors {
			if m.ErrorID != "in-incognito" {
				return fmt.Errorf("the page can't be installed: %s %v", m.ErrorID, m.ErrorArguments)
			}
		}
		return nil
	})
}

// On a phone the buttons of Teach are within reach, and a swipe judges.
func TestThePageTeachesOnAPhone(t *testing.T) {
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 30, red, "Roth")
	step := stepping(t, ctx, complaints)
	const inReach = `[...document.querySelectorAll("#one button, #one > img")].every((b) => { const r = b.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight && r.width > 60; })`
	const taste = `document.querySelector("#taste").textContent`
	step("load", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url), eventually(`document.querySelectorAll(".card").length > 10`, "true"))
	step("teach", chromedp.Click(`[data-view=teach]`), chromedp.WaitVisible(`#one > img`), eventually(`document.querySelector("#one > img").naturalWidth > 0`, "true"),
		eventually(inReach, "true"))
	swipe := func(dx string) chromedp.Action[chromedp.Void] {
		return eventually(`(() => { const img = document.querySelector("#one > img"), at = (type, x) => img.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerType: "touch", clientX: x, clientY: 300 })); at("pointerdown", 180); at("pointerup", 180 + `+dx+`); return "swiped"; })()`, "swiped")
	}
	step("swipe to like", swipe("120"), eventually(taste, "1 liked, 0 disliked"))
	step("swipe to dislike", swipe("-120"), eventually(taste, "1 liked, 1 disliked"))
	step("the large view can be closed", chromedp.Click(`[data-view=newest]`), eventually(`document.querySelectorAll(".card").length > 10`, "true"),
		chromedp.Click(`.card > img`), chromedp.WaitVisible(`dialog figure img`),
		eventually(`(() => { const r = document.querySelector(".close").getBoundingClientRect(); return document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2).className; })()`, "close"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// A view that is chosen before the page knows the taste stays chosen.
func TestThePageKeepsTheViewThatWasChosenEarly(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.rate(t, palate.Like, f.add(t, 9, red, "Roth")[0])
	clicked := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/profiles" {
			select {
			case <-clicked:
			case <-t.Context().Done(): // it failed before
			}
		}
		f.server.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	const pressed = `document.querySelector("[aria-pressed=true].tab").dataset.view`
	err := chromedp.Do(ctx, chromedp.Navigate(slow.URL), chromedp.Click(`[data-view=newest]`),
		chromedp.Func(func(context.Context, *chromedp.Target) error { close(clicked); return nil }),
		eventually(cards, "9"), eventually(tasteText, "1 liked, 0 disliked"), eventually(pressed, "newest"))
	if err != nil {
		t.Fatalf("%v (the page complained: %v)", err, complaints())
	}
}

// What comes later than the large view moves nothing away from under a finger:
// neither the picture nor those that are like it.
func TestTheLargeViewStandsStill(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 12, red, "Roth")
	const place = `(() => { const r = document.querySelector("dialog figcaption .delete").getBoundingClientRect(); return [r.x, r.y].map(Math.round).join(); })()`
	for _, size := range [][2]int64{{1200, 900}, {360, 740}} {
		arrive := make(chan struct{})
		slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/neighbours") || r.URL.Query().Get("width") == "1280" {
				select {
				case <-arrive:
				case <-t.Context().Done(): // it failed before
				}
			}
			f.server.Handler().ServeHTTP(w, r)
		}))
		t.Cleanup(slow.Close)
		var before string
		err := chromedp.Do(ctx, chromedp.EmulateViewport(size[0], size[1]), chromedp.Navigate(slow.URL), eventually(cards, "12"),
			chromedp.Click(`.card > img`), chromedp.WaitVisible(`dialog figcaption .delete`),
			chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
				before, err = chromedp.Evaluate[string](place)(ctx, target)
				close(arrive)
				return err
			}),
			eventually(`document.querySelectorAll("dialog .strip a").length > 0 && document.querySelector("dialog figure img").naturalWidth > 0`, "true"))
		if err == nil {
			err = chromedp.Do(ctx, eventually(place, before))
		}
		if err != nil {
			t.Fatalf("at %v, the button to delete was at %s: %v (the page complained: %v)", size, before, err, complaints())
		}
	}
}
