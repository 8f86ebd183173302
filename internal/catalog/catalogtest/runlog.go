package catalogtest

import (
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func logKept(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	run, lease := start(t, c, "crawl")
	other, _ := start(t, c, "import")
	began := time.Date(2026, 3, 1, 12, 0, 0, 250, time.UTC)
	lines := []catalog.RunLine{{At: began, Text: "It reads a site."}, {At: began.Add(time.Second), Warning: true, Text: "The site asks to wait\xff."}}
	before := must(c.LastChange(ctx))(t)
	ok(t, "AddRunLines", c.AddRunLines(ctx, run.ID, lines))
	changes := must(c.ChangesAfter(ctx, before, 10))(t)
	if len(changes) != 1 || changes[0].Kind != catalog.RunChanged || changes[0].Run != run.ID {
		t.Errorf("changes: got %+v, want one of the run", changes)
	}
	ok(t, "AddRunLines of another", c.AddRunLines(ctx, other.ID, lines[:1]))
	ok(t, "AddRunLines of none", c.AddRunLines(ctx, run.ID, nil))
	ok(t, "AddRunLines", c.AddRunLines(ctx, run.ID, []catalog.RunLine{{At: began.Add(time.Minute), Text: "It goes on."}}))
	ok(t, "FinishRun", c.FinishRun(ctx, run.ID, catalog.Succeeded, nil, ""))
	ok(t, "Release", lease.Release())
	wantKind(t, "AddRunLines after the end", c.AddRunLines(ctx, run.ID, lines), palate.ErrConflict)
	wantKind(t, "AddRunLines of no run", c.AddRunLines(ctx, other.ID+100, lines), palate.ErrNotFound)
	c = again()

	equal(t, "counted", must(c.RunByID(ctx, run.ID))(t).Lines, 3)
	lines[0].Number, lines[1].Number = 1, 2
	lines[1].Text = "The site asks to wait\uFFFD."
	equalList(t, "the first two", must(c.RunLog(ctx, run.ID, 0, 2))(t), lines)
	equalList(t, "the rest", must(c.RunLog(ctx, run.ID, 2, 10))(t), []catalog.RunLine{{Number: 3, At: began.Add(time.Minute), Text: "It goes on."}})
	equal(t, "behind the end", len(must(c.RunLog(ctx, run.ID, 3, 10))(t)), 0)
	_, err := c.RunLog(ctx, other.ID+100, 0, 10)
	wantKind(t, "RunLog of no run", err, palate.ErrNotFound)
	_, err = c.RunLog(ctx, run.ID, 0, 1001)
	wantKind(t, "too large a limit", err, palate.ErrInvalid)
}

func logBounded(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	oldest, _ := start(t, c, "crawl")
	many := make([]catalog.RunLine, catalog.MostRunLines-1)
	for i := range many {
		many[i] = catalog.RunLine{At: time.Unix(int64(i), 0), Text: "a line"}
	}
	ok(t, "AddRunLines", c.AddRunLines(ctx, oldest.ID, many))
	ok(t, "AddRunLines beyond the bound", c.AddRunLines(ctx, oldest.ID, many[:3]))
	equal(t, "counted", must(c.RunByID(ctx, oldest.ID))(t).Lines, catalog.MostRunLines+2)
	kept := must(c.RunLog(ctx, oldest.ID, 0, 1000))(t)
	if len(kept) != catalog.MostRunLines || kept[0].Number != 3 || kept[len(kept)-1].Number != catalog.MostRunLines+2 {
		t.Errorf("got %d lines from %d, want the newest %d", len(kept), kept[0].Number, catalog.MostRunLines)
	}
	for range catalog.RunsWithLog - 1 {
		run, _ := start(t, c, "crawl")
		ok(t, "AddRunLines", c.AddRunLines(ctx, run.ID, many[:1]))
	}
	start(t, c, "crawl") // without a log
	equal(t, "of the oldest that is kept", len(must(c.RunLog(ctx, oldest.ID, 0, 10))(t)), 10)
	run, _ := start(t, c, "crawl")
	ok(t, "AddRunLines", c.AddRunLines(ctx, run.ID, many[:1]))
	equal(t, "of one that is too old", len(must(c.RunLog(ctx, oldest.ID, 0, 10))(t)), 0)
	equal(t, "of the next", len(must(c.RunLog(ctx, oldest.ID+1, 0, 10))(t)), 1)
	equal(t, "counted still", must(c.RunByID(ctx, oldest.ID))(t).Lines, catalog.MostRunLines+2)
}
