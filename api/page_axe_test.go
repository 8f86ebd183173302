package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
)

// axeVersion is the release of axe-core that looks at the page. It comes from
// npm when it is asked for, and is no part of palate.
const axeVersion = "axe-core@4.14.1"

// axe gives the program, or ends the test.
func axe(t *testing.T) string {
	t.Helper()
	if os.Getenv("PALATE_TEST_CLIENTS") == "" {
		t.Skip("opt-in: PALATE_TEST_CLIENTS installs axe-core, which looks at every view of the page")
	}
	folder := t.TempDir()
	for _, words := range [][]string{{"npm", "init", "--yes"}, {"npm", "install", "--no-audit", "--no-fund", "--silent", axeVersion}} {
		command := exec.CommandContext(t.Context(), words[0], words[1:]...)
		command.Dir = folder
		if out, err := command.CombinedOutput(); err != nil {
			t.Skipf("opt-in: NOT RUN, %s failed, as it does without npm or a network: %v: %s", strings.Join(words, " "), err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
	must(t, err)
	return string(text)
}

// looking is how a page is looked at.
type looking struct {
	name          string
	width, height int64
	scheme        string
}

func (l looking) set(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
	if _, err := chromedp.EmulateViewport(l.width, l.height)(ctx, target); err != nil {
		return chromedp.Void{}, err
	}
	_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	return chromedp.Void{}, err
}

// Every view, light and dark, on a phone and on a desk, breaks none of the rules
// of axe, those called best practice among them.
func TestAxeFindsNothingOnThePage(t *testing.T) {
	program := axe(t)
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "葛飾北斎")
	f.rate(t, palate.Like, reds[:6]...)
	f.rate(t, palate.Dislike, blues[:6]...)
	f.rate(t, palate.Skip, blues[7])
	f.learn(t)
	must(t, f.collection.Remove(t.Context(), reds[8], "no painting"))
	f.follow(t)
	empty, guarded := newFixture(t), f.guarded(t, nil)
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/ratings/") {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		f.server.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(away.Close)

	type view struct {
		name string
		to   []chromedp.Action[chromedp.Void]
	}
	at := func(url string, then ...chromedp.Action[chromedp.Void]) []chromedp.Action[chromedp.Void] {
		// From elsewhere: another # alone would load nothing.
		return append([]chromedp.Action[chromedp.Void]{chromedp.Navigate("about:blank"), chromedp.Navigate(url)}, then...)
	}
	const ask = `((order) => { const by = document.querySelector("#by"); by.value = order; by.dispatchEvent(new Event("change")); return "chosen"; })(`
	seen := eventually(`[...document.images].filter((i) => i.checkVisibility() && i.src).every((i) => i.complete)`, "true")
	views := []view{
		{"for you", at(f.url+"/#/scores", eventually(cards, "17"), seen)},
		{"newest, one chosen", at(f.url+"/#/newest", eventually(cards, "17"), chromedp.KeyEvent(kb.ArrowRight), seen)},
		{"selected", at(f.url+"/#/newest", eventually(cards, "17"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(" "), seen)},
		{"deleted, to be undone", at(f.url+"/#/newest", eventually(cards, "17"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("s"), chromedp.KeyEvent("u"), eventually(`document.querySelector("#toast").hidden`, "false"))},
		{"not sent", at(away.URL+"/#/newest", eventually(cards, "17"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("l"), eventually(`document.querySelector("#unsent").hidden`, "false"))},
		{"filters", at(f.url+"/#/newest?artist=Roth&judged=rated", eventually(cards, "6"), chromedp.Click(`#filters summary`), eventually(`document.querySelectorAll("[data-values=artist] button").length`, "2"))},
		{"large", at(f.url+"/#/newest?picture="+reds[0].String(), eventually(`document.querySelectorAll("dialog .similar .strip a").length`, "12"), eventually(`document.querySelectorAll("dialog .liked .strip a").length`, "4"), seen)},
		// At random: what the queue has given it does not give again so soon.
		{"teach", at(f.url+"/#/teach", eventually(ask+`"random")`, "chosen"), eventually(`document.querySelector("#one").hidden`, "false"), seen)},
		{"teach, a pile", at(f.url+"/#/teach", eventually(ask+`"random")`, "chosen"), chromedp.Click(`#together`), eventually(`document.querySelectorAll(".pile button").length > 2`, "true"), seen, eventually(`(localStorage.clear(), "done")`, "done"))},
		{"trash", at(f.url+"/#/trash", eventually(cards, "1"), seen)},
		{"work", at(f.url+"/#/work", eventually(`document.querySelectorAll("#jobs > li").length > 0 && document.querySelectorAll("#model option").length`, "3"))},
		{"keys", at(f.url+"/#/newest", eventually(cards, "17"), chromedp.KeyEvent("?"), eventually(`document.querySelector("#keys").open`, "true"))},
		{"nothing there", at(empty.url, eventually(`document.querySelector("#end").hidden`, "false"))},
		{"sign-in", at(guarded.URL, eventually(`document.querySelectorAll("input").length`, "1"))},
		{"reference of the API", at(f.url+"/docs", eventually(`document.querySelectorAll("h2").length > 0`, "true"))},
	}
	const judge = `axe.run(document, { resultTypes: ["violations"] }).then((r) => { window.found = r.violations.map((v) => v.id + " (" + v.help + "): " + v.nodes.slice(0, 5).map((n) => n.target.join(" ") + " " + n.failureSummary).join(" | ")).join("\n") || "nothing"; })`
	for _, how := range []looking{{"a desk, light", 1440, 900, "light"}, {"a desk, dark", 1440, 900, "dark"}, {"a phone, light", 360, 740, "light"}, {"a phone, dark", 360, 740, "dark"}} {
		t.Run(how.name, func(t *testing.T) {
			ctx, complaints := browser(t)
			must(t, chromedp.Do(ctx, how.set))
			for _, v := range views {
				name := strings.NewReplacer(" ", "-", ",", "").Replace(v.name + " " + how.name)
				if err := chromedp.Do(ctx, v.to...); err != nil {
					t.Fatalf("%s: %v (the page complained: %v)", v.name, err, complaints())
				}
				var found string
				err := chromedp.Do(ctx, screenshot(name), eventually(`(() => { window.found = ""; return "reset"; })()`, "reset"),
					chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
						_, err := chromedp.Evaluate[string](program+"; "+judge+`; ""`)(ctx, target)
						return err
					}), eventually(`window.found !== ""`, "true"), into(`window.found`, &found))
				if err != nil {
					t.Fatalf("%s: %v", v.name, err)
				}
				if found != "nothing" {
					t.Errorf("%s:\n%s", v.name, found)
				}
			}
		})
	}
}
