package api_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/test/race"
)

// New shows what crawls brought, by chance, each with the like that it is most
// like, until one says that all is seen; what was imported is not among it, and
// what is seen stays seen in the next visit.
func TestThePageShowsWhatIsNew(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	reds, blues := f.add(t, 12, red, "Roth"), f.add(t, 12, blue, "Blau")
	f.rate(t, palate.Like, reds...)
	f.rate(t, palate.Dislike, blues...)
	f.learn(t)
	step := stepping(t, ctx, complaints)
	const since = `document.querySelector("#news .since").textContent`
	step("nothing yet", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url+"/#/news"), eventually(since+`.startsWith("Nothing was brought since")`, "true"),
		eventually(cards, "0"))
	f.crawled(t, palate.Source{Artist: "Blau", Title: "Blau zwei"}, palate.Source{Artist: "Roth", Title: "Rot eins"}, palate.Source{Artist: "Blau", Title: "Blau eins"})
	step("what came", chromedp.Reload(), eventually(cards, "3"), eventually(`document.querySelector(".card .title").textContent`, "Rot eins"),
		eventually(`[...document.querySelectorAll(".card .kin")].filter((k) => k.alt.startsWith("Most like Nº") && k.naturalWidth > 0).length`, "3"),
		eventually(`[...document.querySelectorAll(".card .kin")].every((k) => { const a = k.getBoundingClientRect(), b = k.parentElement.firstElementChild.getBoundingClientRect(); return a.width < b.width / 2 && a.height < b.height / 2 && a.right <= b.right && a.bottom <= b.bottom; })`, "true"),
		eventually(`document.documentElement.scrollWidth <= innerWidth`, "true"), screenshot("news-phone"))
	step("dark and wide", dark(), chromedp.EmulateViewport(1440, 900), eventually(cards, "3"), screenshot("news-dark"))
	step("a reader's address", chromedp.Click(`#news .feed`), eventually(`document.querySelector("#toast").textContent.includes("/v1/profiles/me/feed.atom")`, "true"))
	step("seen", chromedp.Click(`#news .seen`), eventually(cards, "0"), eventually(since+`.startsWith("Nothing was brought since")`, "true"))
	f.crawled(t, palate.Source{Artist: "Roth", Title: "Rot zwei"})
	step("the next visit", chromedp.Reload(), eventually(cards, "1"), eventually(`document.querySelector(".card .title").textContent`, "Rot zwei"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}
