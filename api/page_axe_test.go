package api_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/internal/taste"
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
			t.Skipf("opt-in: NOT RUN: axe did not look at the page, for %s failed, as it does without npm or a network: %v: %s", strings.Join(words, " "), err, out)
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
}

// in a colour scheme, with nothing that moves.
func in(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
}

// view is what a person sees of the page, and how one comes there.
type view struct {
	name string
	to   []chromedp.Action[chromedp.Void]
}

// at is an address, reached from elsewhere: another # alone would load nothing.
func at(url string, then ...chromedp.Action[chromedp.Void]) []chromedp.Action[chromedp.Void] {
	return append([]chromedp.Action[chromedp.Void]{chromedp.Navigate("about:blank"), chromedp.Navigate(url)}, then...)
}

// viewsOfThePage are all that the page has, of a collection with a taste, a map, a
// trash and jobs.
func viewsOfThePage(t *testing.T) []view {
	f := newFixture(t)
	reds, blues := f.add(t, 14, red, "Roth"), f.add(t, 14, blue, "葛飾北斎")
	f.rate(t, palate.Like, append(reds[:12:12], blues[11])...) // one of them by mistake
	f.rate(t, palate.Dislike, blues[:11]...)
	f.rate(t, palate.Skip, blues[12])
	f.learn(t)
	f.learn(t)
	must(t, f.collection.Remove(t.Context(), reds[13], "no painting"))
	f.crawled(t, palate.Source{Artist: "Roth", Title: "Rot eins"}, palate.Source{Artist: "Blau", Title: "Blau eins"})
	must(t, os.WriteFile(filepath.Join(f.importRoot, "none.jpg"), []byte("no picture"), 0o600))
	f.waitFor(t, jobID(t, f.start(t, map[string]any{"kind": "import", "path": f.importRoot})))
	contest := jobID(t, f.start(t, map[string]any{"kind": "arena", "profile": "me", "confirm": true,
		"arena": map[string]any{"models": []string{"greys"}, "methods": []string{"probe", "centroid"}}}))
	f.waitFor(t, contest)
	empty, guarded := newFixture(t), f.guarded(t, nil)
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/ratings/") {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		f.server.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(away.Close)
	// The page of a job is served without the right to run scripts, as axe is one.
	pages := map[string][]byte{"/report": f.reportPage(t), "/arena": f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d/page", contest), "").body}
	saved := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "page.html", time.Time{}, bytes.NewReader(pages[r.URL.Path]))
	}))
	t.Cleanup(saved.Close)

	asked := eventually(`!document.querySelector("#one").hidden || !document.querySelector("#end").hidden`, "true")
	const ask = `((order) => { const by = document.querySelector("#by"); by.value = order; by.dispatchEvent(new Event("change")); return "chosen"; })(`
	seen := eventually(`[...document.images].filter((i) => i.checkVisibility() && i.src && i.loading !== "lazy").every((i) => i.complete)`, "true")
	plots := eventually(`[...document.querySelectorAll(".plots img")].filter((i) => i.naturalWidth > 0).length`, "3")
	const inMap = `document.querySelector("#map canvas").dataset.inView`
	f.makeMap(t)
	return []view{
		{"for you", at(f.url+"/#/scores", eventually(cards, "29"), seen)},
		{"new", at(f.url+"/#/news", eventually(cards, "2"), seen)},
		{"newest, one chosen", at(f.url+"/#/newest", eventually(cards, "29"), chromedp.KeyEvent(kb.ArrowRight), seen)},
		{"liked", at(f.url+"/#/liked", eventually(cards, "13"), seen)},
		{"selected", at(f.url+"/#/newest", eventually(cards, "29"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(" "), seen)},
		{"judged and undone", at(f.url+"/#/newest", eventually(cards, "29"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("s"), chromedp.KeyEvent("u"), eventually(`document.querySelector("#toast").hidden`, "false"))},
		{"not sent", at(away.URL+"/#/newest", eventually(cards, "29"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("l"), eventually(`document.querySelector("#unsent").hidden`, "false"))},
		{"filters", at(f.url+"/#/newest?artist=Roth&judged=rated", eventually(cards, "12"), chromedp.Click(`#filters summary`), eventually(`document.querySelectorAll("[data-values=artist] button").length`, "3"))},
		{"nothing found", at(f.url+"/#/newest?q=nowhere", eventually(`document.querySelector("#end").hidden`, "false"))},
		{"large", at(f.url+"/#/newest?picture="+reds[0].String(), eventually(`document.querySelectorAll("dialog .similar .strip a").length`, "12"), eventually(`document.querySelectorAll("dialog .liked .strip a").length`, "4"), seen)},
		{"large, with a heat map", at(f.url+"/#/newest?picture="+blues[0].String(), eventually(`document.querySelectorAll("dialog .similar .strip a").length`, "12"), chromedp.KeyEvent("h"), eventually(`document.querySelector("#heat").hidden`, "false"), seen)},
		// At random: what the queue has given it does not give again so soon.
		{"teach", at(f.url+"/#/teach", asked, eventually(ask+`"random")`, "chosen"), eventually(`document.querySelector("#one").hidden`, "false"), seen)},
		{"teach, a pile", at(f.url+"/#/teach", asked, eventually(ask+`"random")`, "chosen"), eventually(`document.querySelector("#one").hidden`, "false"), chromedp.Click(`#together`), eventually(`document.querySelectorAll(".pile button").length > 2`, "true"), seen, eventually(`(localStorage.clear(), "done")`, "done"))},
		{"taste", at(f.url+"/#/taste", plots, eventually(`document.querySelectorAll("#learned .strip a").length > 0`, "true"), run(`document.querySelectorAll("#learned summary").forEach((s) => s.click())`), seen)},
		{"taste, nothing learned", at(empty.url+"/#/taste", eventually(`document.querySelectorAll("#learned form").length > 0`, "true"))},
		{"map", at(f.url+"/#/map", eventually(inMap, "29"), eventually(`document.querySelectorAll("#map .strip a").length`, "24"), seen)},
		{"map, before the first", at(empty.url+"/#/map", eventually(`document.querySelector("#map .told").textContent.startsWith("No map")`, "true"))},
		{"trash", at(f.url+"/#/trash", eventually(cards, "1"), seen)},
		{"trash, nothing there", at(empty.url+"/#/trash", eventually(`document.querySelector("#end").textContent`, "The trash is empty."))},
		{"work", at(f.url+"/#/work", eventually(`document.querySelectorAll("#jobs .opens.lost").length > 0 && document.querySelectorAll("#model option").length`, "3"), chromedp.Click(`#jobs .opens.lost`), eventually(`document.querySelectorAll("#jobs .opened.lost li").length`, "1"))},
		{"work, learning", at(f.url+"/#/work", eventually(`document.querySelectorAll("#model option").length`, "3"), run(`document.querySelectorAll("#learn, #learn details").forEach((d) => { d.open = true; })`),
			chromedp.Click(`#finetune button[type=submit]`), eventually(newestState, "Fine-tuning for me what it would cost"))},
		{"work, nothing done", at(empty.url+"/#/work", eventually(`document.querySelector("#no-jobs").hidden`, "false"), eventually(`document.querySelectorAll("#model option").length`, "3"))},
		{"keys", at(f.url+"/#/newest", eventually(cards, "29"), chromedp.KeyEvent("?"), eventually(`document.querySelector("#keys").open`, "true"))},
		{"nothing there", at(empty.url, eventually(`document.querySelector("#first").hidden`, "false"))},
		{"a picture that is looked for", at(f.url+"/#/newest", eventually(cards, "29"), run(pastePicture), eventually(`document.querySelectorAll("#found .strip a").length`, "24"), seen)},
		{"sign-in", at(guarded.URL, eventually(`document.querySelectorAll("input").length`, "1"))},
		{"sign-in by a link", at(guarded.URL+"/sign-in?code=palate_0", eventually(`document.querySelectorAll("main button").length`, "1"))},
		{"reference of the API", at(f.url+"/docs", eventually(`document.querySelectorAll("h2").length > 0`, "true"))},
		{"page of an arena", at(saved.URL+"/arena", eventually(`document.querySelectorAll("svg").length > 0`, "true"))},
		{"report of a taste", at(saved.URL+"/report", eventually(`document.querySelectorAll("svg").length > 0`, "true"))},
	}
}

// reportPage is what "palate train --html" writes of what was learned.
func (f *fixture) reportPage(t *testing.T) []byte {
	t.Helper()
	version, err := f.tastes.Version(t.Context(), palate.DefaultProfile, 1)
	must(t, err)
	r, err := taste.ReportOf(version.ProbeVersion)
	must(t, err)
	var out bytes.Buffer
	must(t, report.HTML(&out, "The taste of me", r))
	return out.Bytes()
}

// Every view, on a phone and on a desk, breaks none of the rules of axe, those
// called best practice among them, and in the dark none of those of colours.
func TestAxeFindsNothingOnThePage(t *testing.T) {
	program := axe(t)
	views := viewsOfThePage(t)
	look := func(options string, found *string) chromedp.Action[chromedp.Void] {
		judge := `axe.run(document, ` + options + `).then((r) => { window.found = r.violations.map((v) => v.id + " (" + v.help + "): " + v.nodes.slice(0, 5).map((n) => n.target.join(" ") + " " + n.failureSummary).join(" | ")).join("\n") || "nothing"; })`
		return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			return chromedp.Do(ctx, run(`(window.found = "", window.axe ?? (`+"() => {"+program+"}"+`)())`), run(judge), eventually(`window.found !== ""`, "true"), into(`window.found`, found))
		})
	}
	for _, how := range []looking{{"desk", 1440, 900}, {"phone", 360, 740}} {
		for part := range slices.Chunk(views, 6) { // a browser is lent for two minutes
			t.Run(how.name+", from "+part[0].name, func(t *testing.T) {
				ctx, complaints := browser(t)
				must(t, chromedp.Do(ctx, chromedp.EmulateViewport(how.width, how.height)))
				for _, v := range part {
					name := strings.NewReplacer(" ", "-", ",", "").Replace(v.name + " " + how.name)
					var light, dark string
					err := chromedp.Do(ctx, append(append([]chromedp.Action[chromedp.Void]{in("light")}, v.to...), screenshot(name), look(`{ resultTypes: ["violations"] }`, &light),
						in("dark"), screenshot(name+"-dark"), look(`{ resultTypes: ["violations"], runOnly: { type: "rule", values: ["color-contrast"] } }`, &dark))...)
					if err != nil {
						t.Fatalf("%s: %v (the page complained: %v)", v.name, err, complaints())
					}
					if light != "nothing" || dark != "nothing" {
						t.Errorf("%s: in the light %s; in the dark %s", v.name, light, dark)
					}
				}
			})
		}
	}
}
