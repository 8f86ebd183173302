package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/race"
)

// How a server answers what is said.
const (
	answers    = "answers"
	away       = "away"       // what stands before it says so, in its own words
	lostAnswer = "lostAnswer" // it does what it is asked, and nobody hears of it
	without    = "without"    // it has none of the pictures
)

// What is said while the server is away, or whose answer got lost, is kept in
// the browser, told, taken back by U, and saved once: also after the tab was closed.
func TestVerdictsOutliveAServerThatIsAwayAndAClosedTab(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	ids := f.add(t, 6, red, "Roth")
	var how atomic.Value
	how.Store(answers)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		says := r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/ratings")
		switch {
		case says && how.Load() == away:
			http.Error(w, "<html>Bad Gateway</html>", http.StatusBadGateway)
		case says && how.Load() == without:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"title": "Not found", "status": 404, "detail": "There is no such picture."}`))
		case says && how.Load() == lostAnswer:
			f.server.Handler().ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			f.server.Handler().ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	log := func() (entries []catalog.LogEntry) {
		t.Helper()
		entries, err := f.catalog.RatingLog(t.Context(), palate.DefaultProfile, 0, 100)
		must(t, err)
		return entries
	}
	step := stepping(t, ctx, complaints)
	const (
		unsent  = `document.querySelector("#unsent").hidden ? "" : document.querySelector("#unsent").textContent`
		saved   = "Everything that was kept is saved."
		stored  = `Object.keys(localStorage).filter((k) => k.startsWith("palate.unsent.")).map((k) => JSON.parse(localStorage[k]).length).join()`
		seen    = `(() => { const r = document.querySelector("#unsent").getBoundingClientRect(); return document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)?.closest("#unsent") !== null; })()`
		oneKept = "The server can't be reached: 1 verdict is kept in this browser and sent when it is back. Try now"
		twoKept = "The server can't be reached: 2 verdicts are kept in this browser and sent when it is back. Try now"
	)
	to := func(state string) func(string, ...chromedp.Action[chromedp.Void]) { how.Store(state); return step }
	to(answers)("load", chromedp.Navigate(front.URL), eventually(cards, "6"), chromedp.KeyEvent(kb.ArrowRight))
	to(away)("like two", chromedp.KeyEvent("l"), eventually(unsent, oneKept), chromedp.KeyEvent("l"), eventually(unsent, twoKept), eventually(tasteText, "2 liked, 0 disliked"), eventually(seen, "true"))
	step("told in the large view too", chromedp.KeyEvent("\r"), eventually(`document.querySelector("dialog").open`, "true"), eventually(seen, "true"), screenshot("unsent"), chromedp.KeyEvent(kb.Escape), eventually(seen, "true"))
	step("take the second back", chromedp.KeyEvent("u"), eventually(unsent, oneKept), eventually(tasteText, "1 liked, 0 disliked"), eventually(toastText, "Taken back: like of “Nº 5 — 夜”."))
	step("the tab is closed", chromedp.Navigate("about:blank"))
	if got := log(); len(got) != 0 {
		t.Errorf("the server was away and has %v", got)
	}
	to(answers)("and opened", chromedp.Navigate(front.URL), eventually(toastText, saved), eventually(unsent, ""), eventually(stored, ""), eventually(tasteText, "1 liked, 0 disliked"))
	if got := log(); len(got) != 1 || got[0].Image != ids[5] || got[0].Verdict != palate.Like {
		t.Errorf("got the log %v, want one like of the newest", got)
	}

	// An answer that is lost: the verdict has arrived, is sent again, and counts once.
	to(lostAnswer)("dislike", chromedp.Click(`[data-view=newest]`), eventually(cards, "6"), eventually(`(document.querySelectorAll(".card")[2].querySelector(".dislike").click(), "pressed")`, "pressed"), eventually(unsent, oneKept))
	to(answers)("again", chromedp.Click(`#unsent button`), eventually(toastText, saved), eventually(stored, ""))
	if got := log(); len(got) != 2 || got[1].Image != ids[3] || got[1].Verdict != palate.Dislike {
		t.Errorf("got the log %v, want one dislike more", got)
	}
	// One that was lost is taken back for good, though it had arrived.
	to(lostAnswer)("like another", eventually(`(document.querySelectorAll(".card")[3].querySelector(".like").click(), "pressed")`, "pressed"), eventually(unsent, oneKept), chromedp.KeyEvent("u"))
	to(answers)("again", eventually(unsent, ""), eventually(stored, ""), eventually(tasteText, "1 liked, 1 disliked"))
	if verdicts, err := f.catalog.StandingVerdicts(t.Context(), palate.DefaultProfile, ids); err != nil || len(verdicts) != 2 {
		t.Errorf("got %v and %v, want the like and the dislike", verdicts, err)
	}

	// What can't be taken when it is sent later is told, and holds nothing up.
	to(away)("like", eventually(`(document.querySelectorAll(".card")[4].querySelector(".like").click(), "pressed")`, "pressed"), eventually(unsent, oneKept))
	to(without)("refused", chromedp.Click(`#unsent button`), eventually(`document.querySelector("#notice").textContent`, "A verdict that was kept can't be saved. There is no such picture."), eventually(unsent, ""), eventually(stored, ""))
}
