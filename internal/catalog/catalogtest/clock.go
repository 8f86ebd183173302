package catalogtest

import (
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

func testClocks(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"a clock that jumped is set right": testClock,
		"nothing expires by a wrong clock": testClockDatesTheTrash,
		"what waits too long is let go on": testDueAtOnce,
	})
}

// testClock lets a clock run two days ahead and sets it right.
func testClock(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx, now := t.Context(), time.Now().UTC()
	unchanged(t, c, "a look at the clock", func() {
		if clock := must(c.SeeClock(ctx, now.Add(time.Hour)))(t); clock.InDoubt() || !clock.Seen.Equal(now.Add(time.Hour)) {
			t.Errorf("the first look: got %+v, want it seen", clock)
		}
	})
	swept := now.Add(-time.Hour)
	ok(t, "SetSwept", c.SetSwept(ctx, swept))
	ids := fill(t, c, 2)
	_, err := c.BeginCrawl(ctx, "museum", []crawler.Task{{Kind: crawler.Page, URL: "https://museum.example/"}})
	ok(t, "BeginCrawl", err)
	tasks, _, err := c.NextTasks(ctx, "museum", 1)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("NextTasks: got %d and %v", len(tasks), err)
	}
	ok(t, "PostponeTask", c.PostponeTask(ctx, "museum", tasks[0], now.Add(48*time.Hour+10*time.Minute)))
	ok(t, "PutSubscription", c.PutSubscription(ctx, catalog.Subscription{Name: "daily", Settings: "{}", Every: 24 * time.Hour, Next: now.Add(72 * time.Hour)}))
	ahead := must(c.SeeClock(ctx, now.Add(48*time.Hour)))(t)
	if !ahead.InDoubt() || ahead.Back() > 0 || !ahead.Swept.Equal(swept) {
		t.Errorf("two days later: got %+v, want it doubted", ahead)
	}
	equal(t, "due beyond a day", must(c.DueBeyond(ctx, now.Add(24*time.Hour)))(t), 1)
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[0], "a test"))

	right := must(again().SeeClock(ctx, now))(t)
	if !right.InDoubt() || right.Back() != 48*time.Hour {
		t.Errorf("set right: got %+v, want it doubted, two days back", right)
	}
	equal(t, "due beyond ten minutes", must(c.DueBeyond(ctx, now.Add(10*time.Minute)))(t), 0)
	equal(t, "due beyond nine minutes", must(c.DueBeyond(ctx, now.Add(9*time.Minute)))(t), 1)
	if all := must(c.ListSubscriptions(ctx))(t); len(all) != 1 || !all[0].Next.Equal(now.Add(24*time.Hour)) {
		t.Errorf("subscriptions: got %+v, want one that is due in a day", all)
	}
	if clock := must(c.SeeClock(ctx, now.Add(24*time.Hour)))(t); clock.InDoubt() {
		t.Errorf("a day later: got %+v, want it trusted", clock)
	}
}

// testClockDatesTheTrash throws away by a clock of 1970 and one of 2050.
func testClockDatesTheTrash(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx, now := t.Context(), time.Now().UTC()
	ids := fill(t, c, 1)
	must(c.SeeClock(ctx, now.Add(-time.Minute)))(t)
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[0], "a test"))
	old := now.AddDate(-40, 0, 0)
	must(c.SeeClock(ctx, old))(t)
	thrown := must(c.Trash(ctx, time.Time{}, 10))(t)
	if len(thrown) != 1 || !thrown[0].DeletedAt.Equal(old) {
		t.Errorf("in the trash: got %+v, want one as of %v, for what was deleted in the future was deleted now", thrown, old)
	}
	must(c.SeeClock(ctx, old.Add(time.Hour)))(t)
	must(c.SeeClock(ctx, now))(t)
	if thrown = must(c.Trash(ctx, time.Time{}, 10))(t); len(thrown) != 1 || !thrown[0].DeletedAt.Equal(now) {
		t.Errorf("in the trash: got %+v, want one as of %v, for the clock was wrong when it was deleted", thrown, now)
	}
}

func testDueAtOnce(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx, now := t.Context(), time.Now()
	_, err := c.BeginCrawl(ctx, "museum", []crawler.Task{{Kind: crawler.Page, URL: "a"}, {Kind: crawler.Page, URL: "b"}})
	ok(t, "BeginCrawl", err)
	tasks, _, err := c.NextTasks(ctx, "museum", 2)
	if err != nil || len(tasks) != 2 {
		t.Fatalf("NextTasks: got %d and %v", len(tasks), err)
	}
	ok(t, "PostponeTask", c.PostponeTask(ctx, "museum", tasks[0], now.Add(time.Hour)))
	ok(t, "PostponeTask", c.PostponeTask(ctx, "museum", tasks[1], now.Add(300*time.Hour)))
	equal(t, "let go on", must(c.DueAtOnce(ctx, now.Add(168*time.Hour)))(t), 1)
	equal(t, "let go on again", must(c.DueAtOnce(ctx, now.Add(168*time.Hour)))(t), 0)
	next, _, err := c.NextTasks(ctx, "museum", 2)
	if err != nil || len(next) != 1 || next[0].ID != tasks[1].ID {
		t.Errorf("due: got %+v and %v, want the task that waited too long", next, err)
	}
}
