package api_test

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/test/race"
)

// On a phone, Work starts a verification, an import and a crawl, of which it shows
// first what would come, tells how each ended, and tells where the eyes are why one
// was refused; nothing of it is wider than the screen.
func TestThePageStartsWorkOnAPhone(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 3, red, "Roth")
	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 500, 400))))
	must(t, os.WriteFile(filepath.Join(f.importRoot, "grey.png"), picture.Bytes(), 0o600))
	site, address := newGallery(t)
	step := stepping(t, ctx, complaints)
	const newest = `document.querySelector("#jobs > li strong").textContent + " " + document.querySelector("#jobs > li .state").textContent`
	const inWidth = `document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll(".tab, #work *")].every((e) => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; }) && [...document.querySelectorAll(".tab")].every((e) => e.getBoundingClientRect().left >= document.querySelector("nav").getBoundingClientRect().left)`
	const told = `(() => { const n = document.querySelector("#notice"), r = n.getBoundingClientRect(); const seen = document.elementFromPoint(r.x + r.width / 2, r.bottom - 4); return !n.hidden && r.top >= 0 && r.bottom <= innerHeight && seen === n ? n.textContent : ""; })()`
	step("open", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url), eventually(cards, "3"), chromedp.Click(`[data-view=work]`),
		eventually(`document.querySelectorAll("#model option").length`, "3"), eventually(inWidth, "true"), screenshot("work-phone"))
	const log = newestJob + `.querySelector(".opened.log")`
	step("verify, and read its log by keys", chromedp.Click(`#verify`), eventually(newest, "Verification done"),
		chromedp.Focus(`#jobs > li:first-child .opens.log`), chromedp.KeyEvent(kb.Enter), eventually(log+`?.lastElementChild?.textContent.includes("It is done.")`, "true"),
		eventually(log+`.firstElementChild.textContent.includes("is at work on it.")`, "true"), eventually(`document.activeElement.ariaExpanded`, "true"), eventually(inWidth, "true"), screenshot("work-phone-log"),
		chromedp.KeyEvent(kb.Enter), eventually(log+` === null`, "true"))
	j, err := job.Begin(t.Context(), f.catalog, job.Crawl, "")
	must(t, err)
	j.Say(t.Context(), "It begins.")
	step("follow the log of what another process does", eventually(newest, "Crawl running"), eventually(`Boolean(`+newestJob+`.querySelector(".opens.log"))`, "true"), chromedp.Click(`#jobs > li:first-child .opens.log`),
		eventually(log+`?.children.length`, "1"))
	j.Warn(t.Context(), "The site asks to wait.")
	step("a line more", eventually(log+`.textContent.includes("Warning: The site asks to wait.")`, "true"), eventually(log+`.children.length`, "2"),
		eventually(`document.activeElement.matches(".opens.log")`, "true"))
	must(t, j.End(t.Context(), catalog.Succeeded, nil, nil))
	step("its end", eventually(newest, "Crawl done"), eventually(log+`.children.length`, "3"), eventually(`document.activeElement.matches(".opens.log")`, "true"))
	step("a folder that is not open", chromedp.SendKeys(`#import [name=path]`, "/etc"), chromedp.Click(`#import button`),
		eventually(told+`.includes("/etc")`, "true"), eventually(newest, "Crawl done"), screenshot("work-phone-refused"))
	step("import", chromedp.SetValue(`#import [name=path]`, f.importRoot), chromedp.Click(`#import button`), eventually(newest, "Import done"),
		eventually(`document.querySelector("#jobs > li p").textContent`, "1 new"), eventually(`document.querySelector("#notice").hidden`, "true"))
	const wouldCome, focused = newestJob + `.querySelector(".verdict").textContent`, `document.activeElement.textContent`
	step("a crawl in nobody's name", chromedp.Focus(`#crawl [name=seeds]`), chromedp.KeyEvent(address), chromedp.Focus(`#crawl [name=contact]`), chromedp.KeyEvent("nobody"), chromedp.KeyEvent(kb.Enter),
		eventually(told, `contact "nobody" is neither an e-mail nor a URL`), eventually(newest, "Import done"))
	step("look first, by keys", value(`#crawl [name=contact]`, "me@palate.test"), chromedp.Focus(`#crawl summary`), chromedp.KeyEvent(kb.Enter), eventually(`document.querySelector("#crawl details").open`, "true"),
		eventually(inWidth, "true"), screenshot("work-phone-crawl"),
		run(`said = []; new MutationObserver(() => said.push(document.querySelector("#toast").textContent)).observe(document.querySelector("#toast"), { childList: true })`),
		value(`#crawl [name=include]`, "more|last|private"), value(`#crawl [name=filter]`, "title~Harbour"), value(`#crawl [name=width]`, "100"), value(`#crawl [name=want]`, "largest"), value(`#crawl [name=delay_seconds]`, "0.002"),
		chromedp.Focus(`#crawl [name=exclude]`), chromedp.KeyEvent("painting-0"), chromedp.KeyEvent(kb.Enter), eventually(`said.includes("What would come is being found out.")`, "true"),
		eventually(newest, "Crawl what would come"), eventually(wouldCome, "7 pictures would come from 3 pages; 0 are here."),
		eventually(newestJob+`.textContent.includes("1 pages: robots.txt forbids them")`, "true"), eventually(newestJob+`.textContent.includes("Harbour 7")`, "true"),
		eventually(inWidth, "true"), screenshot("work-phone-would-come"))
	runs, err := f.catalog.ListRuns(t.Context(), 0, 1)
	must(t, err)
	for _, want := range []string{`"include":["more|last|private"]`, `"exclude":["painting-0"]`, `"filter":["title~Harbour","width\u003e=100"]`, `"want":"largest"`, `"delay_seconds":0.002`} {
		if !strings.Contains(string(runs[0].Progress), want) {
			t.Errorf("the form asked for %s, want %s in it", runs[0].Progress, want)
		}
	}
	if n, agents := site.pictures(); n > 0 || !strings.Contains(agents, "(me@palate.test)") {
		t.Errorf("looking fetched %d pictures, as %s", n, agents)
	}
	step("and crawl with the same settings, also after loading anew", chromedp.Reload(), eventually(wouldCome, "7 pictures would come from 3 pages; 0 are here."), chromedp.Focus(`#jobs > li:first-child`), chromedp.KeyEvent(kb.Tab),
		eventually(focused, "Crawl with these settings"), chromedp.KeyEvent(kb.Enter), eventually(newest, "Crawl done"),
		eventually(`document.querySelector("#jobs > li p").textContent`, "7 new"), eventually(inWidth, "true"), screenshot("work-phone-jobs"))
	if all := complaints(); len(all) != 2 { // the refusals are two
		t.Errorf("the page complained: %v", all)
	}
}
