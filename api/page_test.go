package api_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	cdruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/test/race"
)

// stepping gives what does one step of a test after the other, by its name; a step
// that fails ends the test. What the page draws anew between being found and
// being touched is looked for again.
func stepping(t *testing.T, ctx context.Context, complaints func() []string) func(what string, actions ...chromedp.Action[chromedp.Void]) {
	return func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		for _, action := range actions {
			err := chromedp.Do(ctx, action)
			for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "Could not find node") {
				err = chromedp.Do(ctx, action)
			}
			if err != nil {
				t.Fatalf("%s: %v (the page complained: %v)", what, err, complaints())
			}
		}
	}
}

// TestMain ends the browser that tests have shared.
func TestMain(m *testing.M) {
	code := m.Run()
	endBrowser()
	os.Exit(code)
}

var endBrowser = func() {}

// started is a browser, which takes longer to start than most tests;
// exec.ErrNotFound where there is none.
var started = sync.OnceValues(func() (ctx context.Context, err error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(time.Minute))...)
		ctx, endTab := chromedp.NewContext(allocator)
		endBrowser = func() { endTab(); cancel() }
		return ctx, chromedp.Do(ctx)
	}
	return nil, exec.ErrNotFound
})

// browser opens a window with cookies and storage of its own in a real browser,
// and gathers what the page complains of. Tests of the page run side by side:
// they mostly wait.
func browser(t *testing.T) (ctx context.Context, complaints func() []string) {
	t.Helper()
	t.Parallel()
	all, err := started()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no Chromium or Chrome on this machine")
	}
	must(t, err)
	ctx, closeWindow := chromedp.NewContext(all, chromedp.WithNewBrowserContext())
	t.Cleanup(closeWindow)
	context.AfterFunc(t.Context(), closeWindow) // before servers end, which wait for the streams of open pages
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1200, 900)))
	var mu sync.Mutex
	var texts []string
	must(t, chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *cdruntime.EventExceptionThrown:
			texts = append(texts, e.ExceptionDetails.Text+" "+e.ExceptionDetails.URL)
		case *log.EventEntryAdded:
			// That there is no probe yet is asked of the API and answered with 404.
			if e.Entry.Level == log.EntryLevelError && !strings.HasSuffix(e.Entry.URL, "/probe") {
				texts = append(texts, e.Entry.Text+" "+e.Entry.URL)
			}
		}
	}))
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return texts
	}
}

// eventually waits until an expression gives the wanted text.
func eventually(expression, want string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		// What is not there yet is no text yet.
		look := chromedp.Evaluate[string]("(() => { try { return String(" + expression + ") } catch { return '' } })()")
		for {
			got, err := look(ctx, target)
			if err == nil && got == want {
				return nil
			}
			if err != nil && ctx.Err() == nil && !strings.Contains(err.Error(), "navigated or closed") { // on the way to another page
				return err
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s is %q, want %q: %w", expression, got, want, ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

func TestThePageIsUsableByKeyAndByButton(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "Blau")
	newest := blues[8]
	verdict := func(id palate.ImageID) palate.Verdict {
		t.Helper()
		verdicts, err := f.catalog.StandingVerdicts(t.Context(), palate.DefaultProfile, []palate.ImageID{id})
		must(t, err)
		return verdicts[id]
	}
	step := stepping(t, ctx, complaints)
	const first = `document.querySelector(".card")`
	step("load", chromedp.Navigate(f.url), eventually(`document.querySelectorAll(".card").length`, "18"),
		eventually(`document.querySelector("[aria-pressed=true].tab").textContent`, "Newest"),
		eventually(first+`.querySelector("img").naturalWidth > 0`, "true"))
	step("like by key", chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("l"),
		eventually(first+`.classList.contains("like")`, "true"), eventually(`document.querySelector("#taste").textContent`, "1 liked, 0 disliked"))
	if got := verdict(newest); got != palate.Like {
		t.Errorf("after the key L the verdict is %q, want like", got)
	}
	step("undo by key", chromedp.KeyEvent("u"), eventually(first+`.classList.contains("like")`, "false"))
	if got := verdict(newest); got != "" {
		t.Errorf("after the key U the verdict is %q, want none", got)
	}
	step("dislike by button", chromedp.Click(`.card .dislike`), eventually(first+`.classList.contains("dislike")`, "true"))
	if got := verdict(newest); got != palate.Dislike {
		t.Errorf("after the button the verdict is %q, want dislike", got)
	}
	step("look closer", chromedp.Click(`.card > img`), chromedp.WaitVisible(`dialog figure img`),
		eventually(`document.querySelectorAll("dialog .strip a").length`, "12"),
		eventually(`document.querySelector("dialog figcaption h2").textContent`, "Nº 18 — 夜"))
	step("back", chromedp.KeyEvent(kb.Escape), eventually(`document.querySelector("dialog").open`, "false"))
	f.rate(t, palate.Like, reds[:6]...)
	f.rate(t, palate.Dislike, blues[:6]...)
	step("learn", chromedp.Click(`#train`),
		eventually(`document.querySelector("[aria-pressed=true].tab").textContent`, "For you"),
		eventually(`document.querySelectorAll(".card").length`, "18"),
		eventually(first+`.querySelector(".artist").textContent`, "Roth"),
		eventually(`document.querySelector("#taste").textContent.includes("taste v1")`, "true"))
	step("where the score comes from", chromedp.Click(`.card > img`), chromedp.WaitVisible(`#heat-switch`), chromedp.KeyEvent("h"),
		eventually(`document.querySelector("#heat").hidden`, "false"), eventually(`document.querySelector("#heat").width`, "4"),
		eventually(`document.querySelector("#heat-legend").textContent.startsWith("What raises the score within the picture is red")`, "true"),
		chromedp.Click(`#heat-switch`), eventually(`document.querySelector("#heat").hidden`, "true"), chromedp.KeyEvent(kb.Escape))
	step("only what is not judged", chromedp.Click(`#unrated`), eventually(`document.querySelectorAll(".card").length`, "5"))
	step("liked", chromedp.Click(`[data-view=liked]`), eventually(`document.querySelectorAll(".card").length`, "6"))
	step("search", chromedp.Click(`[data-view=newest]`), chromedp.Click(`#unrated`),
		chromedp.SendKeys(`#search`, "roth"), eventually(`document.querySelectorAll(".card").length`, "9"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}

// Teaching shows one picture after the other; what it asked and why goes into
// the log with the answer.
func TestThePageTeachesByKeyAndByButton(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	reds, blues := f.add(t, 30, red, "Roth"), f.add(t, 30, blue, "Blau")
	f.rate(t, palate.Like, reds[:8]...)
	f.rate(t, palate.Dislike, blues[:8]...)
	f.learn(t)
	step := stepping(t, ctx, complaints)
	standing := func() []catalog.Rating {
		t.Helper()
		ratings, err := f.catalog.StandingRatings(t.Context(), palate.DefaultProfile, catalog.RatingQuery{Limit: 100})
		must(t, err)
		return ratings
	}
	const taste = `document.querySelector("#taste").textContent.split(" · ")[0]`
	step("load", chromedp.Navigate(f.url), eventually(taste, "8 liked, 8 disliked"))
	step("teach", chromedp.Click(`[data-view=teach]`), chromedp.WaitVisible(`#one > img`), eventually(`document.querySelector("#one > img").naturalWidth > 0`, "true"))
	step("like by key", chromedp.KeyEvent("l"), eventually(taste, "9 liked, 8 disliked"))
	step("dislike by arrow", chromedp.KeyEvent(kb.ArrowLeft), eventually(taste, "9 liked, 9 disliked"))
	step("like by button", chromedp.Click(`#teach [data-verdict=like]`), eventually(taste, "10 liked, 9 disliked"))
	answered := standing()[:3]
	for _, r := range answered {
		if !strings.HasPrefix(string(r.Shown), "queue:") || r.ProbeVersion != 1 || r.Score == nil {
			t.Errorf("the log says shown as %q by probe %d with score %v", r.Shown, r.ProbeVersion, r.Score)
		}
	}
	if answered[0].Image == answered[1].Image || answered[1].Image == answered[2].Image {
		t.Error("a picture was asked about twice")
	}
	step("undo", chromedp.KeyEvent("u"), eventually(taste, "9 liked, 9 disliked"))
	step("back", chromedp.Click(`[data-view=newest]`), eventually(`document.querySelector("#teach").hidden`, "true"),
		eventually(`document.querySelectorAll(".card").length > 10`, "true"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
}
