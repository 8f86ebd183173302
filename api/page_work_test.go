package api_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/palate-art/palate/test/race"
)

// On a phone, Work starts a verification, an import and a crawl, tells how each
// ended, and tells where the eyes are why one was refused; nothing of it is wider
// than the screen.
func TestThePageStartsWorkOnAPhone(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 3, red, "Roth")
	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 500, 400))))
	must(t, os.WriteFile(filepath.Join(f.importRoot, "grey.png"), picture.Bytes(), 0o600))
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }))
	t.Cleanup(site.Close)
	address, err := url.Parse(site.URL)
	must(t, err)
	step := stepping(t, ctx, complaints)
	const newest = `document.querySelector("#jobs > li strong").textContent + " " + document.querySelector("#jobs > li .state").textContent`
	const inWidth = `document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll(".tab, #work *")].every((e) => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; }) && [...document.querySelectorAll(".tab")].every((e) => e.getBoundingClientRect().left >= document.querySelector("nav").getBoundingClientRect().left)`
	const told = `(() => { const n = document.querySelector("#notice"), r = n.getBoundingClientRect(); const seen = document.elementFromPoint(r.x + r.width / 2, r.bottom - 4); return !n.hidden && r.top >= 0 && r.bottom <= innerHeight && seen === n ? n.textContent : ""; })()`
	step("open", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url), eventually(cards, "3"), chromedp.Click(`[data-view=work]`),
		eventually(`document.querySelectorAll("#model option").length`, "3"), eventually(inWidth, "true"), screenshot("work-phone"))
	step("verify", chromedp.Click(`#verify`), eventually(newest, "Verification done"))
	step("a folder that is not open", chromedp.SendKeys(`#import [name=path]`, "/etc"), chromedp.Click(`#import button`),
		eventually(told+`.includes("/etc")`, "true"), eventually(newest, "Verification done"), screenshot("work-phone-refused"))
	step("import", chromedp.SetValue(`#import [name=path]`, f.importRoot), chromedp.Click(`#import button`), eventually(newest, "Import done"),
		eventually(`document.querySelector("#jobs > li p").textContent`, "1 new"), eventually(`document.querySelector("#notice").hidden`, "true"))
	step("crawl", chromedp.SendKeys(`#crawl [name=seeds]`, "http://localhost:"+address.Port()+"/"), chromedp.Click(`#crawl button`),
		eventually(`/^Crawl (done|failed)$/.test(`+newest+`)`, "true"), eventually(inWidth, "true"), screenshot("work-phone-jobs"))
	if all := complaints(); len(all) != 1 { // the refusal is one
		t.Errorf("the page complained: %v", all)
	}
}
