package api_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/race"
)

// large serves the page over a list of made-up pictures.
func large(t *testing.T, f *fixture, pictures int) *httptest.Server {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	packed := binary.LittleEndian.AppendUint32([]byte("PLS1"), uint32(pictures))
	for i := range pictures {
		packed = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(packed, 0), uint64(i))
	}
	for range pictures {
		packed = binary.LittleEndian.AppendUint16(packed, uint16(400+random.IntN(2000)))
	}
	for range pictures {
		packed = append(packed, byte(random.IntN(101)))
	}
	if len(packed) > 2_000_000 {
		t.Errorf("the list of %d pictures has %d bytes, want under 2 MB", pictures, len(packed))
	}
	thumbnail := paint(t, red, 1)
	stub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		answer := func(status int, value any) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(value)
		}
		switch {
		case strings.HasSuffix(path, "/entries"):
			_, _ = w.Write(packed)
		case strings.HasSuffix(path, "/thumbnail"):
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write(thumbnail)
		case strings.Contains(path, "/snapshots/") && strings.HasSuffix(path, "/images"):
			from, _ := strconv.Atoi(r.URL.Query().Get("offset"))
			var items []any
			for i := from; i < min(from+60, pictures); i++ {
				items = append(items, map[string]any{"place": i, "image": picturedAs(i)})
			}
			answer(200, map[string]any{"items": items})
		case strings.HasSuffix(path, "/snapshots"), strings.Contains(path, "/snapshots/"):
			answer(201, map[string]any{"id": strings.Repeat("0", 32), "profile": "me", "order": "newest", "total": pictures, "probe_version": 0})
		case strings.HasPrefix(path, "/v1/images/"):
			i, _ := strconv.ParseInt(path[len(path)-12:], 16, 64)
			answer(200, picturedAs(int(i)))
		default:
			f.server.Handler().ServeHTTP(w, r)
		}
	}))
	t.Cleanup(stub.Close)
	return stub
}

func picturedAs(i int) map[string]any {
	id := fmt.Sprintf("00000000-0000-0000-0000-%012x", i)
	return map[string]any{"id": id, "title": fmt.Sprintf("Nº %d", i), "artist": "Many", "width": 60, "height": 40, "format": "jpeg", "embedded": false,
		"sources": []any{}, "file_url": "/v1/images/" + id + "/file", "thumbnail_url": "/v1/images/" + id + "/thumbnail?width=320"}
}

// into keeps what an expression gives.
func into[T any](expression string, value *T) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
		*value, err = chromedp.Evaluate[T](expression)(ctx, target)
		return err
	})
}

// nodes counts everything in the page, texts too.
const nodes = `(() => { const all = document.createTreeWalker(document, NodeFilter.SHOW_ALL); let n = 1; while (all.nextNode()) n++; return n; })()`

// At any place of a list of 100,000 pictures, after it was flown to as well,
// the page stays as small as at its beginning.
func TestTheGridOf100000PicturesStaysSmall(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 1, red, "Roth")
	const pictures = 100_000
	stub := large(t, f, pictures)
	step := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatalf("%s: %v (the page complained: %v)", what, err, complaints())
		}
		var count int
		if err := chromedp.Do(ctx, into(nodes, &count)); err != nil || count > 3000 {
			t.Errorf("%s: the page has %d nodes (%v), want at most 3000", what, count, err)
		}
	}
	const (
		inView  = `[...document.querySelectorAll(".card")].filter((c) => { const r = c.getBoundingClientRect(); return r.bottom > 0 && r.top < innerHeight; })`
		titles  = inView + `.every((c) => c.querySelector(".title").textContent === "Nº " + parseInt(c.dataset.id.slice(24), 16)) && ` + inView + `.length > 5`
		loaded  = inView + `.every((c) => c.querySelector("img").naturalWidth > 0)`
		ordered = `[...document.querySelectorAll(".card")].every((c, i, all) => !i || c.dataset.id > all[i - 1].dataset.id)`
		nothing = `"nothing"`
	)
	id := func(i int) string { return picturedAs(i)["id"].(string) }
	step("the beginning", chromedp.Navigate(stub.URL), eventually(titles, "true"), eventually(loaded, "true"), eventually(ordered, "true"),
		eventually(`document.querySelector("#count").textContent.replace(/\D/g, "")`, strconv.Itoa(pictures)))
	// Fifty leaps in as many frames, as a finger flings.
	step("flinging", eventually(`(() => { window.leap = 50; const go = () => { scrollBy(0, 30000); if (--leap > 0) requestAnimationFrame(go); }; go(); return "gone"; })()`, "gone"),
		eventually(`leap`, "0"), eventually(titles, "true"), eventually(loaded, "true"), eventually(ordered, "true"))
	step("the middle", eventually(`(scrollTo(0, document.documentElement.scrollHeight / 2), "gone")`, "gone"), eventually(titles, "true"))
	step("the end by key", eventually(inView+`[0].focus() ?? "there"`, "there"), chromedp.KeyEvent(kb.End), eventually(focusedID, id(pictures-1)), eventually(titles, "true"))
	step("one back", chromedp.KeyEvent(kb.ArrowLeft), eventually(focusedID, id(pictures-2)))
	step("focus stays with its picture", eventually(`(scrollBy(0, -100000), "gone")`, "gone"), eventually(titles, "true"), eventually(focusedID, id(pictures-2)),
		chromedp.KeyEvent(kb.ArrowRight), eventually(focusedID, id(pictures-1)))
	step("small pictures", eventually(`(() => { const s = document.querySelector("#size"); s.value = s.min; s.dispatchEvent(new Event("input")); return s.value; })()`, "90"),
		eventually(inView+`.length > 40`, "true"), eventually(loaded, "true"))
	step("on a wide screen", chromedp.EmulateViewport(3840, 2160), eventually(inView+`.length > 200`, "true"), eventually(loaded, "true"), eventually(nothing, "nothing"))
	step("on a phone", chromedp.EmulateViewport(360, 740), eventually(inView+`.length > 5`, "true"), eventually(loaded, "true"))
	var heap float64
	if err := chromedp.Do(ctx, into(`performance.memory.usedJSHeapSize`, &heap)); err != nil || heap > 60e6 {
		t.Errorf("the page takes %.0f MB (%v), want at most 60", heap/1e6, err)
	}
	t.Logf("heap %.1f MB", heap/1e6)
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// The address holds the view, the search, the filters and the picture: it
// leads there, Back leads back to the same picture, and a new taste moves
// nothing.
func TestThePageKeepsOnesPlace(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	f := newFixture(t)
	reds, blues := f.add(t, 40, red, "Roth"), f.add(t, 40, blue, "Blau")
	f.rate(t, palate.Like, reds[:6]...)
	f.rate(t, palate.Dislike, blues[:6]...)
	f.learn(t)
	step := stepping(t, ctx, complaints)
	const (
		hash   = `location.hash`
		far    = `(() => { const r = [...document.querySelectorAll(".card")].map((c) => [c.dataset.id, c.getBoundingClientRect().top]).find((c) => c[1] > 0); return r.join(" "); })()`
		dy     = `[...document.querySelectorAll(".card")].map((c) => c.getBoundingClientRect().top).find((y) => y > -1)`
		shown  = `document.querySelector("dialog").open ? document.querySelector("dialog figcaption h2").textContent : ""`
		chips  = `[...document.querySelectorAll(".chip")].map((c) => c.textContent).join()`
		count  = `document.querySelector("#count").textContent`
		offers = `document.querySelector("#order button") ? "offered" : "not"`
	)
	step("For you", chromedp.Navigate(f.url), eventually(hash, "#/scores"), eventually(count, "80 pictures"))
	step("down", eventually(`(scrollTo(0, 900), scrollY > 800)`, "true"), eventually(`history.state?.at?.index > 0`, "true"))
	place := ""
	step("where", into(far, &place))
	// To a pixel or two: what stands above the grid has its height in fractions.
	there := func(place string) chromedp.Action[chromedp.Void] {
		return eventually(`(() => { const [id, y] = "`+place+`".split(" "), [at, now] = (`+far+`).split(" "); return at === id && Math.abs(y - now) < 3 ? "there" : at + " " + now; })()`, "there")
	}

	// A new taste is learned meanwhile: it is offered, and nothing moves.
	f.rate(t, palate.Dislike, reds[20:24]...)
	f.learn(t)
	const press = `(document.querySelectorAll(".card")[%d].querySelector(".like").click(), "pressed")`
	for i := range 10 {
		step("judge", eventually(fmt.Sprintf(press, i), "pressed"))
	}
	step("offered", eventually(offers, "offered"), there(place))
	step("large, and Back", eventually(`(document.querySelectorAll(".card > img")[20].click(), "pressed")`, "pressed"), eventually(`location.hash.includes("?picture=")`, "true"),
		eventually(`document.querySelectorAll("dialog .liked .strip a").length`, "4"), eventually(`document.querySelector(".chance").textContent.endsWith("% likely that you like it")`, "true"),
		eventually(`(history.back(), "gone")`, "gone"), eventually(`document.querySelector("dialog").open`, "false"), eventually(hash, "#/scores"))
	step("down again", eventually(`(scrollTo(0, 900), scrollY > 800)`, "true"), eventually(`Math.round(history.state.at.dy) === Math.round(`+dy+`)`, "true"), into(far, &place))
	step("another view, and Back", chromedp.Click(`[data-view=newest]`), eventually(hash, "#/newest"), eventually(`scrollY`, "0"),
		eventually(offers, "not"), eventually(`(history.back(), "gone")`, "gone"), eventually(hash, "#/scores"), there(place), eventually(offers, "offered"))
	step("reloaded", chromedp.Reload(), eventually(count, "80 pictures"), there(place), eventually(offers, "offered"))
	step("show it", chromedp.Click(`#order button`), eventually(offers, "not"), eventually(`scrollY < 900`, "true"))

	listed := func(from int) string {
		n, err := f.catalog.CountListed(t.Context(), catalog.ImageQuery{Filter: index.Filter{Artists: []string{"Roth"}, YearFrom: from, LikedBy: palate.DefaultProfile}})
		must(t, err)
		return fmt.Sprintf("%d pictures", n)
	}
	step("an address", chromedp.Navigate(f.url+"/?x#/newest?artist=Roth&year_from=1905&judged=liked&picture="+reds[5].String()), eventually(shown, "Nº 6 — 夜"),
		eventually(chips, "liked,Artist: Roth,from 1905"), chromedp.KeyEvent(kb.Escape), eventually(shown, ""), eventually(hash, "#/newest?artist=Roth&year_from=1905&judged=liked"),
		eventually(count, listed(1905)))
	step("without one filter", chromedp.Click(`.chip:nth-child(3)`), eventually(chips, "liked,Artist: Roth"), eventually(count, listed(0)), eventually(hash, "#/newest?artist=Roth&judged=liked"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}
