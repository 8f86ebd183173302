package api_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/race"
)

// A red picture as it comes by a drop and by the clipboard.
const (
	brought = `const canvas = new OffscreenCanvas(300, 200), draw = canvas.getContext("2d");
		draw.fillStyle = "#d02010"; draw.fillRect(0, 0, 300, 200); draw.fillStyle = "#b03020"; draw.fillRect(20, 30, 99, 77);
		canvas.convertToBlob({ type: "image/png" }).then((blob) => {
			const data = new DataTransfer();
			data.items.add(new File([blob], "ציור אדום ישן מאוד.png", { type: "image/png" }));`
	dropPicture = `(() => { ` + brought + `
			data.items.add(new File(["no picture"], "none.png", { type: "image/png" }));
			for (const type of ["dragover", "drop"]) document.querySelector("main").dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
		}); })()`
	pastePicture = `(() => { ` + brought + `
			document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
		}); })()`
)

// Where there are no pictures, every view of pictures says how they come, by
// buttons; what is chosen or dropped is added, and what is pasted is looked for
// and scored, and kept only if one wants that.
func TestPicturesComeByChoiceByDropAndByPaste(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	step := stepping(t, ctx, complaints)
	const first = `(document.querySelector("#first").checkVisibility() && document.querySelector("#end").hidden)`
	const inWidth = `document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll("#first *, #found *")].filter((e) => e.checkVisibility() && !e.closest(".strip")).every((e) => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; })`
	step("nothing there", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url), eventually(first, "true"), eventually(inWidth, "true"), screenshot("first-phone"))
	for _, view := range []string{"scores", "news", "liked", "teach"} {
		step(view, chromedp.Click(`[data-view=`+view+`]`), eventually(`document.querySelector("[data-view=`+view+`]").ariaPressed + `+first, "truetrue"))
	}
	step("crawl", chromedp.Click(`#first [value="#crawl"]`), eventually(`document.activeElement.name + document.querySelector("#first").hidden`, "seedstrue"))
	step("import", chromedp.Click(`[data-view=newest]`), eventually(first, "true"), chromedp.Click(`#first [value="#import"]`), eventually(`document.activeElement.name`, "path"))

	grey := filepath.Join(t.TempDir(), "grau.png")
	m := image.NewNRGBA(image.Rect(0, 0, 320, 240))
	for i := range m.Pix {
		m.Pix[i] = 128 | uint8(i&63)
	}
	m.Set(0, 0, color.Black)
	var content bytes.Buffer
	must(t, png.Encode(&content, m))
	must(t, os.WriteFile(grey, content.Bytes(), 0o600))
	step("choose", chromedp.Click(`[data-view=newest]`), eventually(first, "true"), run(`document.querySelector("#first .choose").click()`),
		chromedp.SetUploadFiles(`#files`, []string{grey}), eventually(cards, "1"), eventually(`document.querySelector("#first").hidden`, "true"),
		eventually(toastText, "1 picture was added."), eventually(`document.querySelector(".card .title").textContent`, "grau"))
	step("drop", run(dropPicture), eventually(cards, "2"), eventually(toastText, "1 picture was added."),
		eventually(`document.querySelector("#notice").textContent.startsWith("1 could not be added. none.png: ")`, "true"),
		// What is written from the right begins there, or its beginning would be cut off.
		eventually(`getComputedStyle(document.querySelector(".card .title")).direction`, "rtl"), run(`document.querySelector(".card img").click()`),
		eventually(`getComputedStyle(document.querySelector("#viewer h2")).direction`, "rtl"), chromedp.KeyEvent(kb.Escape), eventually(`document.querySelector("#viewer").open`, "false"))
	step("drop it again", run(dropPicture), eventually(toastText, "0 pictures were added, 1 had been there."), eventually(cards, "2"))
	page, err := f.catalog.ListImages(t.Context(), catalog.ImageQuery{Limit: 10})
	must(t, err)
	if len(page.Images) != 2 || page.Images[0].Sources[0].OriginalName != "ציור אדום ישן מאוד.png" {
		t.Errorf("the catalog has %+v, want the dropped picture first of two, under its file's name", page.Images)
	}

	step("search for a file's name", chromedp.Navigate(f.url+"/?q#/newest?q=GRA"), eventually(cards, "1"), eventually(`document.querySelector(".card .title").textContent`, "grau"))
	step("nothing passes", chromedp.Navigate(f.url+"/?r#/newest?q=grau&artist=nobody"),
		eventually(`document.querySelector("#end").textContent`, "Nothing passes all of these filters."), chromedp.Navigate(f.url+"/?s#/newest?q=rot"),
		eventually(`document.querySelector("#end").textContent`, "No title and no artist matches."))

	other := newFixture(t)
	reds, blues := other.add(t, 12, red, "Roth"), other.add(t, 12, blue, "Blau")
	other.rate(t, palate.Like, reds[:11]...)
	other.rate(t, palate.Dislike, blues[:11]...)
	other.learn(t)
	const hits = `document.querySelectorAll("#found .strip a").length`
	step("paste", chromedp.Navigate(other.url+"/#/newest"), eventually(cards, "24"), run(pastePicture), eventually(hits, "24"),
		eventually(`"`+fmt.Sprint(reds)+`".includes(new URLSearchParams(document.querySelector("#found .strip a").hash.split("?")[1]).get("picture"))`, "true"), eventually(`parseInt(document.querySelector("#found .chance").textContent) > 50`, "true"),
		eventually(`document.querySelector("#found canvas").width`, "300"), eventually(inWidth, "true"), screenshot("found-phone"))
	step("keys are for what is shown", chromedp.KeyEvent("l"), eventually(`document.querySelector("#found").open`, "true"), chromedp.KeyEvent(kb.Escape), eventually(`document.querySelector("#found").open`, "false"))
	step("look at what it is like", run(pastePicture), eventually(hits, "24"), chromedp.Click(`#found .strip a`),
		eventually(`document.querySelector("#viewer").open && !document.querySelector("#found").open`, "true"), chromedp.KeyEvent(kb.Escape), eventually(`document.querySelector("#viewer").open`, "false"))
	step("by a button", run(`document.querySelector("#by-picture").click()`), chromedp.SetUploadFiles(`#files`, []string{grey}), eventually(hits, "24"))
	step("keep it", chromedp.Click(`#found .keep`), eventually(cards, "25"), eventually(`document.querySelector("#found").open`, "false"))
	if all := slices.DeleteFunc(complaints(), func(text string) bool { return strings.HasSuffix(text, "/snapshots") }); len(all) != 2 { // no order without a like; what is no picture was refused, twice
		t.Errorf("the page complained: %v", all)
	}
}
