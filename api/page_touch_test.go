package api_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate/test/race"
)

// point is a place in the window, in CSS pixels.
type point struct{ x, y float64 }

// middleOf finds the middle of an element.
func middleOf(ctx context.Context, target *chromedp.Target, selector string) (p point, err error) {
	at, err := chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, selector))(ctx, target)
	if err == nil {
		p = point{at[0], at[1]}
	}
	return p, err
}

// fingers puts fingers down at places beside the middle of an element, rests,
// moves each as far as its step says, rests again, and lifts them.
func fingers(selector string, rest time.Duration, places, steps []point) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		middle, err := middleOf(ctx, target, selector)
		if err != nil {
			return err
		}
		send := func(kind input.DispatchTouchEventType, part float64, n int) error {
			points := []*input.TouchPoint{}
			for i := range n {
				id := float64(i)
				p := &input.TouchPoint{X: middle.x + places[i].x, Y: middle.y + places[i].y, ID: &id}
				if steps != nil {
					p.X, p.Y = p.X+part*steps[i].x, p.Y+part*steps[i].y
				}
				points = append(points, p)
			}
			_, err := cdp.Call(ctx, target, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points})
			return err
		}
		for n := 1; n <= len(places); n++ {
			if err := send(input.DispatchTouchEventTypeTouchStart, 0, n); err != nil {
				return err
			}
		}
		pause := func() {
			select {
			case <-time.After(rest):
			case <-ctx.Done():
			}
		}
		pause()
		for k := 1; steps != nil && k <= 6; k++ {
			if err := send(input.DispatchTouchEventTypeTouchMove, float64(k)/6, len(places)); err != nil {
				return err
			}
		}
		if steps != nil {
			pause() // without it a finger that scrolls would fling
		}
		return send(input.DispatchTouchEventTypeTouchEnd, 0, 0)
	})
}

// tenFingers makes the browser one with a touchscreen.
func tenFingers(_ *emulation.SetDeviceMetricsOverrideParams, touch *emulation.SetTouchEmulationEnabledParams) {
	touch.Enabled, touch.MaxTouchPoints = true, 10
}

func tap(selector string) chromedp.Action[chromedp.Void] {
	return fingers(selector, 0, []point{{}}, nil)
}

// swipe moves a finger, which rests before it is lifted: the browser takes no tap
// for one while what was flung still moves.
func swipe(selector string, by point) chromedp.Action[chromedp.Void] {
	return fingers(selector, 100*time.Millisecond, []point{{}}, []point{by})
}

// until does something again and again until it has shown: on a busy machine a
// second touch may come too late to be one with the first.
func until(expression, want string, actions ...chromedp.Action[chromedp.Void]) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for {
			for _, act := range actions {
				if _, err := act(ctx, target); err != nil {
					return err
				}
			}
			soon, cancel := context.WithTimeout(ctx, 2*time.Second)
			_, err := eventually(expression, want)(soon, target)
			cancel()
			if err == nil || ctx.Err() != nil {
				return err
			}
		}
	})
}

// With fingers alone on a phone: one that rests selects, two zoom, one moves what
// is zoomed, twice one zooms and fits, and a swipe leads to the picture beside.
func TestThePageIsUsableByTouch(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 30, red, "Roth")
	step := stepping(t, ctx, complaints)
	const (
		count   = `document.querySelector("#selection").hidden ? "" : document.querySelector("#selection .count").textContent`
		scale   = `Number(/scale\(([\d.]+)\)/.exec(document.querySelector("dialog figure img").style.transform)?.[1] ?? 1)`
		moved   = `document.querySelector("dialog figure img").style.transform.replace(/ scale.*/, "")`
		shown   = `document.querySelector("dialog figcaption h2").textContent`
		barFits = `(() => { const r = document.querySelector("#selection").getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth && r.bottom <= innerHeight && r.height < innerHeight / 3; })()`
		picture = `dialog .canvas` // it stays where it is when what is in it is zoomed
	)
	step("a phone", chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, tenFingers),
		chromedp.Navigate(f.url+"/#/newest"), eventually(cards, "30"), eventually(`document.querySelector(".card .title").textContent`, "Nº 30 — 夜"))
	const longPress = 700 * time.Millisecond
	step("a finger that rests selects", fingers(".card:nth-child(2) > img", longPress, []point{{}}, nil), eventually(count, "1 selected"), eventually(barFits, "true"), screenshot("phone-selected"))
	step("a tap selects too", tap(".card:nth-child(4) > img"), eventually(count, "2 selected"), tap(".card:nth-child(4) > img"), eventually(count, "1 selected"))
	step("to a further one", fingers(".card:nth-child(3) > img", longPress, []point{{}}, nil), eventually(count, "3 selected"))
	step("judge them", tap(`#selection [value=like]`), eventually(tasteText, "3 liked, 0 disliked"), eventually(count, ""))
	step("a finger that scrolls selects nothing", fingers(".card:nth-child(3) > img", 150*time.Millisecond, []point{{}}, []point{{0, -80}}), eventually(`scrollY > 0`, "true"), eventually(count, ""), eventually(`(scrollTo(0, 0), scrollY)`, "0"))

	step("look", tap(".card:nth-child(3) > img"), eventually(shown, "Nº 28 — 夜"), eventually(`document.querySelector("dialog figure img").naturalWidth > 0`, "true"))
	step("pinch", fingers(picture, 0, []point{{-15, 0}, {15, 0}}, []point{{-30, 0}, {30, 0}}), eventually(scale+` > 2 && `+scale+` < 4`, "true"))
	var before string
	step("pan", into(moved, &before), swipe(picture, point{-50, 0}), eventually(moved+` !== "`+before+`"`, "true"), eventually(shown, "Nº 28 — 夜"))
	step("a double tap fits it", until(scale, "1", tap(picture), tap(picture)), eventually(shown, "Nº 28 — 夜"))
	step("a short swipe leads nowhere, a long one on", swipe(picture, point{-30, 0}), swipe(picture, point{-120, 0}), eventually(shown, "Nº 27 — 夜"),
		swipe(picture, point{-120, 0}), eventually(shown, "Nº 26 — 夜"), swipe(picture, point{120, 0}), eventually(shown, "Nº 27 — 夜"))
	step("a double tap zooms", eventually(`document.querySelector("dialog figure img").complete`, "true"), until(scale, "2.5", tap(picture), tap(picture)), eventually(shown, "Nº 27 — 夜"))
	step("a swipe over what is zoomed moves it", into(moved, &before), swipe(picture, point{120, 0}), eventually(moved+` !== "`+before+`"`, "true"), eventually(shown, "Nº 27 — 夜"))
	step("back", tap(`dialog .close`), eventually(`document.querySelector("dialog").open`, "false"))

	const taught, asked = `document.querySelector("#taste").textContent`, `document.querySelector("#one").hidden === false && document.querySelector("#one > img").complete && document.querySelector("#teach").dataset.id`
	var first, second string
	step("teach", tap(`[data-view=teach]`), eventually(asked+`.length`, "36"), into(asked, &first))
	next := func(before string) chromedp.Action[chromedp.Void] {
		return eventually(`(() => { const id = `+asked+`; return id && id !== "`+before+`"; })()`, "true")
	}
	step("to the right it is liked", swipe(`#one > img`, point{120, 0}), eventually(taught, "4 liked, 0 disliked"), next(first), into(asked, &second))
	step("to the left disliked", swipe(`#one > img`, point{-120, 0}), eventually(taught, "4 liked, 1 disliked"), next(second))
	step("back to it", tap(`#teach .back`), eventually(taught, "4 liked, 0 disliked"), eventually(asked, second))
	step("upwards skipped", swipe(`#one > img`, point{0, -120}), next(second), eventually(taught, "4 liked, 0 disliked"))
	step("neither here nor there is nothing", swipe(`#one > img`, point{40, 10}), eventually(taught, "4 liked, 0 disliked"), tap(`#one [data-verdict=like]`), eventually(taught, "5 liked, 0 disliked"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// The large picture is zoomed and moved by wheel, drag and keys.
func TestTheLargePictureIsZoomedByWheelAndKeys(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 2, red, "Roth")
	step := stepping(t, ctx, complaints)
	const (
		scale = `Number(/scale\(([\d.]+)\)/.exec(document.querySelector("dialog figure img").style.transform)?.[1] ?? 1)`
		moved = `document.querySelector("dialog figure img").style.transform`
		file  = `document.querySelector("dialog figure img").src.endsWith("/file")`
	)
	mouse := func(kind input.DispatchMouseEventType, dx, dy, wheel float64) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			p, err := middleOf(ctx, target, "dialog .canvas")
			if err != nil {
				return err
			}
			e := input.DispatchMouseEventParams{Type: kind, X: p.x + dx, Y: p.y + dy, DeltaX: .001, DeltaY: wheel}
			if wheel == 0 {
				e.Button, e.Buttons, e.ClickCount = input.MouseButtonLeft, 1, 1
			}
			_, err = cdp.Call(ctx, target, input.DispatchMouseEvent, e)
			return err
		})
	}
	var before string
	step("look", chromedp.Navigate(f.url), eventually(cards, "2"), chromedp.Click(`.card > img`), eventually(`document.querySelector("dialog figure img").naturalWidth > 0`, "true"))
	step("wheel", mouse(input.DispatchMouseEventTypeMouseWheel, 5, 5, -400), eventually(scale+` > 2`, "true"), eventually(file, "true"))
	step("drag", into(moved, &before), mouse(input.DispatchMouseEventTypeMousePressed, 0, 0, 0), mouse(input.DispatchMouseEventTypeMouseMoved, -9, -6, 0), mouse(input.DispatchMouseEventTypeMouseReleased, -9, -6, 0), eventually(moved+` !== "`+before+`"`, "true"))
	step("wheel back", mouse(input.DispatchMouseEventTypeMouseWheel, 0, 0, 4000), eventually(scale, "1"))
	step("keys", chromedp.KeyEvent("+"), chromedp.KeyEvent("+"), eventually(scale, "1.96"), chromedp.KeyEvent("-"), eventually(scale, "1.4"), chromedp.KeyEvent("0"), eventually(scale, "1"))
	step("arrows turn on", chromedp.KeyEvent("+"), chromedp.KeyEvent(kb.ArrowRight), eventually(`document.querySelector("dialog figcaption h2").textContent`, "Nº 1 — 夜"), eventually(scale, "1"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}
