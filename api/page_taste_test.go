package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/test/race"
)

// dark is what a person prefers.
func dark() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		return err
	})
}

// Taste shows versions, lets another serve, compares two, draws the curves with
// a table behind each, says what another threshold would mean, and makes and
// renames profiles.
func TestThePageShowsWhatWasLearned(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	reds, blues := f.add(t, 24, red, "Roth"), f.add(t, 24, blue, "Blau")
	f.rate(t, palate.Like, append(reds[:19:19], blues[20])...) // one of them by mistake
	f.rate(t, palate.Dislike, blues[:19]...)
	f.learn(t)
	f.rate(t, palate.Like, reds[20:]...)
	curved := probe.DefaultConfig()
	curved.CurveShares = []float64{.5, 1}
	_, err := f.tastes.TrainWith(t.Context(), palate.DefaultProfile, curved, false)
	must(t, err)
	contest, lease, err := f.catalog.StartRun(t.Context(), "arena", palate.DefaultProfile)
	must(t, err)
	must(t, f.catalog.FinishRun(t.Context(), contest.ID, catalog.Succeeded, json.RawMessage(`{"version":1,"profile":"me","works":40,"likes":20,"dislikes":20,
		"cells":[{"version":1,"model":"colours","method":"logistic","folds":[0],"predictions":[],"metrics":{"auc":{"value":0.9,"low":0.8,"high":0.95}},"seconds":1.5}],
		"pairs":[],"verdicts":["colours with logistic judges best"]}`), ""))
	must(t, lease.Release())
	step := stepping(t, ctx, complaints)
	const versions = `document.querySelectorAll("#learned .table")[0]`
	const serves = versions + `.querySelector("tbody").textContent`
	plots := func(n string) chromedp.Action[chromedp.Void] {
		return eventually(`[...document.querySelectorAll(".plots img")].filter((i) => i.naturalWidth > 0).length`, n)
	}
	const inWidth = `document.documentElement.scrollWidth <= innerWidth`
	step("open", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url+"/#/taste"), plots("4"), eventually(inWidth, "true"),
		eventually(versions+`.querySelectorAll("tbody tr").length`, "2"), eventually(serves+`.includes("2 serves")`, "true"), screenshot("taste-phone"))
	const inside = `[...document.querySelectorAll(".plots figure")].every((f) => f.scrollHeight <= f.clientHeight + 1)`
	step("a plot covers nothing below it", eventually(inside, "true"))
	step("a table behind each plot", run(`document.querySelectorAll(".plots summary").forEach((s) => s.click())`),
		eventually(`document.querySelectorAll(".plots figure").length === document.querySelectorAll(".plots table").length`, "true"),
		eventually(`[...document.querySelectorAll(".plots figure")].at(2).querySelector("th").textContent`, "PREDICTED"),
		eventually(`((f) => [f.querySelector("figcaption").textContent, f.querySelector("th").textContent, f.querySelectorAll("tbody tr").length, f.querySelector("img").src.endsWith("/plots/learning-curve")].join())([...document.querySelectorAll(".plots figure")].at(3))`, "Learning curve,WORKS,2,true"))
	step("the threshold by key", chromedp.Focus(`#learned input[type=range]`), chromedp.KeyEvent(kb.Home),
		eventually(`document.querySelector("#learned output").textContent.startsWith("0 %: of 24 liked pictures 24 would be found, and of 19 disliked ones 19")`, "true"),
		eventually(`document.querySelector(".plots img").src.endsWith("threshold=0")`, "true"), plots("4"))
	step("compare", chromedp.Click(versions0+`tr:nth-child(2) button:nth-of-type(2)`),
		eventually(`document.querySelector("#learned [role=status]").textContent.includes("judged")`, "true"))
	step("what to judge again", eventually(`document.querySelectorAll("#learned .strip a").length > 0`, "true"),
		eventually(`document.querySelector("#learned .strip a").textContent.startsWith("liked")`, "true"),
		chromedp.Click(`#learned .strip a`), eventually(`document.querySelector("#viewer").open`, "true"),
		eventually(`document.querySelector("#viewer").image.id`, blues[20].String()), chromedp.KeyEvent(kb.Escape))
	step("another version serves", chromedp.Click(versions0+`tr:nth-child(2) button:nth-of-type(3)`), eventually(serves+`.includes("1 serves")`, "true"), plots("3"))
	step("the arena", eventually(`document.querySelector("#learned").textContent.includes("Colours with logistic judges best.")`, "true"))
	step("dark and wide", dark(), chromedp.EmulateViewport(1440, 900), plots("3"), screenshot("taste-dark"))
	const field = `#learned form:nth-of-type(1) input`
	step("a profile is made", chromedp.SendKeys(field, "ada"), chromedp.Click(`#learned form:nth-of-type(1) button`),
		eventually(`document.querySelector("#profile").value`, "ada"), eventually(`location.hash`, "#/taste?profile=ada"),
		eventually(`document.querySelector("#learned").textContent.includes("Rename ada to")`, "true"))
	step("and renamed", chromedp.SendKeys(`#learned form:nth-of-type(2) input`, "eve"), chromedp.Click(`#learned form:nth-of-type(2) button`),
		eventually(`document.querySelector("#profile").value`, "eve"), eventually(`document.querySelector("#learned").textContent.includes("Rename eve to")`, "true"))
	step("and compared", chromedp.Click(`#learned [aria-label="Compare with me"]`),
		eventually(`document.querySelector("#learned").textContent.includes("have both judged 0 images")`, "true"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

const versions0 = `#learned .table:first-of-type tbody `

// The map is made from the page, is drawn, zoomed and panned by key and by
// wheel, names what is in view, and opens pictures.
func TestThePageShowsTheMap(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	reds, blues := f.add(t, 20, red, "Roth"), f.add(t, 20, blue, "Blau")
	f.rate(t, palate.Like, reds[:10]...)
	f.rate(t, palate.Dislike, blues[:10]...)
	f.learn(t)
	step := stepping(t, ctx, complaints)
	const canvas, told = `document.querySelector("#map canvas")`, `document.querySelector("#map .told").textContent`
	const inView = canvas + `.dataset.inView`
	// How many pixels are of a colour: red, or blue.
	const tinted = `(() => { const c = ` + canvas + `, p = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let red = 0, blue = 0; for (let i = 0; i < p.length; i += 4) if (p[i + 3]) { if (p[i] > p[i + 2] + 40) red++; if (p[i + 2] > p[i] + 40) blue++; } return red > 50 && blue > 50; })()`
	// How many pictures have a frame of the colour of what is liked.
	const framed = `(() => { const c = ` + canvas + `, p = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 0; i < p.length; i += 4) if (p[i] === 224 && p[i + 1] === 72 && p[i + 2] === 60) n++; return n > 100; })()`
	step("before the first", chromedp.EmulateViewport(360, 740), chromedp.Navigate(f.url+"/#/map"), eventually(told+`.startsWith("No map")`, "true"))
	step("make it", chromedp.Click(`#map .make`), eventually(told+`.includes("of 40 pictures")`, "true"), eventually(inView, "40"), eventually(tinted, "true"), eventually(framed, "false"),
		eventually(`document.documentElement.scrollWidth <= innerWidth`, "true"), eventually(`document.querySelectorAll("#map .strip a").length`, "24"), screenshot("map-phone"))
	step("zoom and pan by key", chromedp.Focus(`#map canvas`), chromedp.KeyEvent("+"), chromedp.KeyEvent("+"), chromedp.KeyEvent("+"),
		eventually(`Number(`+inView+`) < 40`, "true"), chromedp.KeyEvent("0"), eventually(inView, "40"),
		chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft), eventually(`Number(`+inView+`) < 40`, "true"),
		chromedp.Click(`#map [data-key="0"]`), eventually(inView, "40"))
	step("by verdict", chromedp.SetValue(`#map select`, "verdict"), run(`document.querySelector("#map select").dispatchEvent(new Event("change"))`),
		eventually(`document.querySelector("#map .legend").textContent.startsWith("Red is liked")`, "true"), eventually(framed, "true"))
	// A touch of one finger on a picture opens it; two fingers apart zoom in.
	const pointer = `(type, id, x, y) => ` + canvas + `.dispatchEvent(new PointerEvent(type, { pointerId: id, isPrimary: id === 1, pointerType: "touch", bubbles: true, clientX: x + ` + canvas + `.getBoundingClientRect().x, clientY: y + ` + canvas + `.getBoundingClientRect().y }))`
	step("two fingers", run(`(() => { `+canvas+`.setPointerCapture = () => {}; const p = `+pointer+`; p("pointerdown", 1, 100, 100); p("pointerdown", 2, 140, 140); for (let i = 0; i < 8; i++) p("pointermove", 2, 160 + 20 * i, 160 + 20 * i); p("pointerup", 1, 100, 100); p("pointerup", 2, 300, 300); })()`),
		eventually(`Number(`+inView+`) < 40`, "true"), chromedp.Click(`#map [data-key="0"]`), eventually(inView, "40"))
	step("the wheel", run(canvas+`.dispatchEvent(new WheelEvent("wheel", { deltaY: -700, clientX: `+canvas+`.getBoundingClientRect().x + 5, clientY: `+canvas+`.getBoundingClientRect().y + 5, cancelable: true }))`),
		eventually(`Number(`+inView+`) < 40`, "true"), chromedp.Click(`#map [data-key="0"]`), eventually(inView, "40"))
	step("dark and wide", dark(), chromedp.EmulateViewport(1440, 900), chromedp.Click(`#map [data-key="0"]`), eventually(tinted, "true"), screenshot("map-dark"))
	// A place of the canvas that shows a picture of a colour.
	place := func(colour string) string {
		return `(() => { const c = ` + canvas + `, p = c.getContext("2d").getImageData(0, 0, c.width, c.height), r = c.getBoundingClientRect(), is = (x, y) => { const [red, , blue, alpha] = p.data.subarray(4 * (y * c.width + x)); return alpha === 255 && ` + colour + `; };
			for (let y = 9; y < c.height - 9; y++) for (let x = 9; x < c.width - 9; x++) if ([-8, 0, 8].every((dx) => [-8, 0, 8].every((dy) => is(x + dx, y + dy)))) return [r.x + x * r.width / c.width, r.y + y * r.height / c.height].join(); })()`
	}
	for artist, colour := range map[string]string{"Roth": `red > blue + 60`, "Blau": `blue > red + 60`} {
		var at string
		step("click on a picture by "+artist, eventually(`(scrollTo(0, 0), scrollY)`, "0"), into(place(colour), &at), click(&at, 0), eventually(`document.querySelector("#viewer").open && document.querySelector("#viewer").image.artist`, artist),
			eventually(`location.hash.startsWith("#/map?picture=")`, "true"), chromedp.KeyEvent(kb.Escape), eventually(`document.querySelector("#viewer").open`, "false"),
			click(&at, 40), eventually(`document.querySelector("#viewer").open`, "false"), chromedp.Click(`#map [data-key="0"]`), eventually(inView, "40"))
	}
	step("open from the list", chromedp.Click(`#map .strip a`), eventually(`document.querySelector("#viewer").open`, "true"), chromedp.KeyEvent(kb.Escape),
		eventually(`document.querySelector("#viewer").open`, "false"), eventually(`location.hash`, "#/map"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// click presses the mouse at a place "x,y" of the window and lifts it some pixels
// further, as a click or, further off, as a drag.
func click(at *string, further float64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		var x, y float64
		if _, err := fmt.Sscanf(*at, "%g,%g", &x, &y); err != nil {
			return fmt.Errorf("no such place: %q: %w", *at, err)
		}
		for _, e := range []input.DispatchMouseEventParams{{Type: input.DispatchMouseEventTypeMousePressed, X: x, Y: y},
			{Type: input.DispatchMouseEventTypeMouseMoved, X: x + further, Y: y}, {Type: input.DispatchMouseEventTypeMouseReleased, X: x + further, Y: y}} {
			e.Button, e.Buttons, e.ClickCount = input.MouseButtonLeft, 1, 1
			if _, err := cdp.Call(ctx, target, input.DispatchMouseEvent, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// run runs a script in the page.
func run(script string) chromedp.Action[chromedp.Void] { return into(script+"; true", new(bool)) }
