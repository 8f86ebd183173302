package api_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/test/race"
)

// New shows what crawls brought, by chance, each with the like that it is most
// like, until one says that all is seen; what was imported is not among it, and
// what is seen stays seen in the next visit. All tabs of a browser hear by one
// stream of what comes, in every view: of pictures, which are offered and move
// nothing, and of a new taste.
func TestThePageShowsWhatIsNew(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	reds, blues := f.add(t, 12, red, "Roth"), f.add(t, 12, blue, "Blau")
	f.rate(t, palate.Like, reds...)
	f.rate(t, palate.Dislike, blues...)
	f.learn(t)
	step := stepping(t, ctx, complaints)
	var streams, most atomic.Int32 // of events, that are open
	counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/events" {
			now := streams.Add(1)
			most.Store(max(most.Load(), now))
			defer streams.Add(-1)
		}
		f.server.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(counting.Close)
	const since = `document.querySelector("#news .since").textContent`
	step("nothing yet", chromedp.EmulateViewport(360, 740), chromedp.Navigate(counting.URL+"/#/news"), eventually(since+`.startsWith("Nothing was brought since")`, "true"),
		eventually(cards, "0"))
	second, closeSecond := chromedp.NewContext(ctx)
	t.Cleanup(closeSecond)
	stepSecond := stepping(t, second, complaints)
	const offered = `document.querySelector("#fresh").hidden ? "" : document.querySelector("#fresh").textContent`
	stepSecond("another tab", chromedp.Navigate(counting.URL+"/#/newest"), eventually(cards, "24"), eventually(`document.querySelector("#taste").textContent.includes("taste v1")`, "true"), run(`scrollTo(0, 300)`))
	f.crawled(t, palate.Source{Artist: "Blau", Title: "Blau zwei"}, palate.Source{Artist: "Roth", Title: "Rot eins"}, palate.Source{Artist: "Blau", Title: "Blau eins"})
	stepSecond("the other tab offers them", eventually(offered, "3 new: show"), eventually(cards+` + " " + scrollY`, "24 300"))
	step("this tab offers them", eventually(offered, "3 new: show"), eventually(cards, "0"))
	if got := streams.Load(); got != 1 || most.Load() != 1 {
		t.Errorf("two tabs hold %d streams of events, and held up to %d, want one", got, most.Load())
	}
	stepSecond("show them", chromedp.Click(`#fresh button`), eventually(cards, "27"), eventually(offered, ""), chromedp.Navigate(counting.URL+"/#/scores"), eventually(cards, "27"), eventually(`document.querySelector("#order").hidden`, "true"))
	f.learn(t)
	stepSecond("a new taste is offered", eventually(`document.querySelector("#order").textContent`, " A newer taste has been learned. Show it"), chromedp.Click(`#order button`), eventually(`document.querySelector("#order").hidden`, "true"))
	step("what came", chromedp.Click(`#fresh button`), eventually(cards, "3"), eventually(`document.querySelector(".card .title").textContent`, "Rot eins"),
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
