package api_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// How the page bears a map of many points: PALATE_TEST_MAP_POINTS says how many,
// and what it took is logged (bench/results/map.md). The list and its places are
// made up, as the contract has them; all else is a server's.
func TestThePageBearsAMapOfManyPoints(t *testing.T) {
	points, err := strconv.Atoi(os.Getenv("PALATE_TEST_MAP_POINTS"))
	if err != nil {
		t.Skip("opt-in: PALATE_TEST_MAP_POINTS=100000 measures the page with so many")
	}
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 1, red, "Roth")
	entries := binary.LittleEndian.AppendUint32([]byte("PLS1"), uint32(points))
	places := binary.LittleEndian.AppendUint32([]byte("PLM1"), uint32(points))
	random := rand.New(rand.NewPCG(1, 2))
	for range points {
		entries = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(entries, random.Uint64()), random.Uint64())
	}
	for range points {
		entries = binary.LittleEndian.AppendUint16(entries, 1500)
	}
	middles := make([][2]float64, 60)
	for i := range middles {
		middles[i] = [2]float64{6000 + 53000*random.Float64(), 6000 + 53000*random.Float64()}
	}
	for axis := range 2 {
		for i := range points {
			places = binary.LittleEndian.AppendUint16(places, uint16(max(0, min(65534, middles[i%len(middles)][axis]+1800*random.NormFloat64()))))
		}
	}
	for range points {
		entries, places = append(entries, byte(random.IntN(101))), append(places, byte(random.IntN(4)))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{
			"/v1/map":                               fmt.Sprintf(`{"model_id":"c0","pictures":%d,"made_at":"2026-01-01T00:00:00Z","trustworthiness":0.99,"principal":0.65}`, points),
			"/v1/profiles/me/snapshots":             fmt.Sprintf(`{"id":"many","profile":"me","order":"newest","total":%d,"probe_version":0,"model_id":"c0","expires_at":"2027-01-01T00:00:00Z"}`, points),
			"/v1/profiles/me/snapshots/many/images": `{"items":[]}`, "/v1/profiles/me/snapshots/many/entries": string(entries), "/v1/profiles/me/snapshots/many/map": string(places)}
		if answer, there := answers[r.URL.Path]; there {
			fmt.Fprint(w, answer)
		} else if strings.HasSuffix(r.URL.Path, "/thumbnail") {
			http.NotFound(w, r)
		} else {
			f.server.Handler().ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	step := stepping(t, ctx, complaints)
	const inView = `document.querySelector("#map canvas").dataset.inView`
	begun := time.Now()
	step("open", chromedp.EmulateViewport(1440, 900), chromedp.Navigate(server.URL+"/#/map"), eventually(inView, strconv.Itoa(points)))
	t.Logf("%d points drawn %.2f s after the page was asked for", points, time.Since(begun).Seconds())
	// Each frame one key, and how long it is until the next frame.
	frames := func(keys string) string {
		return `new Promise((done) => { const c = document.querySelector("#map canvas"), keys = ` + keys + `, took = []; let last = performance.now(), n = 0;
			const next = () => { const now = performance.now(); took.push(now - last); last = now; if (n === 80) { took.sort((a, b) => a - b); done(took[40].toFixed(1) + " ms in the middle, " + took[76].toFixed(1) + " ms of 95 %"); return; }
				c.dispatchEvent(new KeyboardEvent("keydown", { key: keys[n++ % keys.length], bubbles: true })); requestAnimationFrame(next); };
			requestAnimationFrame(next); }).then((text) => { window.took = text; })`
	}
	for _, way := range []struct{ name, keys string }{{"panning", `["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"]`}, {"zooming", `["+", "+", "+", "+", "-", "-", "-", "-"]`}} {
		var took string
		step(way.name, run(`window.took = ""`), run(frames(way.keys)), eventually(`window.took !== ""`, "true"), into(`window.took`, &took))
		t.Logf("%s: a frame takes %s", way.name, took)
	}
	var held, nodes string
	step("what it takes", into(`String(Math.round(performance.memory.usedJSHeapSize / 1e6))`, &held), into(`String(document.querySelectorAll("*").length)`, &nodes))
	t.Logf("%s MB of the page's program, %s nodes", held, nodes)
}
