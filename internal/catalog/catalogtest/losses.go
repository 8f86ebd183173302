package catalogtest

import (
	"fmt"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func lossesKept(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	run, lease := start(t, c, "import")
	other, _ := start(t, c, "import")
	first := []catalog.RunLoss{
		{Path: "/p/a.svg", Reason: "unsupported_svg", What: "SVG can't be read"},
		{Path: "/p/b\xff.jpg", Reason: "damaged", Kept: true, What: "its data end early\xff"},
	}
	ok(t, "AddRunLosses", c.AddRunLosses(ctx, run.ID, first))
	ok(t, "AddRunLosses of another", c.AddRunLosses(ctx, other.ID, []catalog.RunLoss{{Path: "x", Reason: "broken"}}))
	ok(t, "AddRunLosses of none", c.AddRunLosses(ctx, run.ID, nil))
	ok(t, "AddRunLosses", c.AddRunLosses(ctx, run.ID, []catalog.RunLoss{{Path: "/p/c.svg", Reason: "unsupported_svg", What: "SVG can't be read"}}))
	wantKind(t, "a loss without a reason", c.AddRunLosses(ctx, run.ID, []catalog.RunLoss{{Path: "x"}}), palate.ErrInvalid)
	ok(t, "FinishRun", c.FinishRun(ctx, run.ID, catalog.Succeeded, nil, ""))
	ok(t, "Release", lease.Release())
	wantKind(t, "AddRunLosses after the end", c.AddRunLosses(ctx, run.ID, first), palate.ErrConflict)
	wantKind(t, "AddRunLosses of no run", c.AddRunLosses(ctx, other.ID+100, first), palate.ErrNotFound)
	c = again()

	equal(t, "counted", must(c.RunByID(ctx, run.ID))(t).Losses, 3)
	first[0].Number, first[1].Number = 1, 2
	first[1].Path, first[1].What = "/p/b\uFFFD.jpg", "its data end early\uFFFD"
	equalList(t, "the first two", must(c.RunLosses(ctx, run.ID, "", 0, 2))(t), first)
	equalList(t, "the rest", must(c.RunLosses(ctx, run.ID, "", 2, 10))(t), []catalog.RunLoss{{Number: 3, Path: "/p/c.svg", Reason: "unsupported_svg", What: "SVG can't be read"}})
	equalList(t, "of one reason", must(c.RunLosses(ctx, run.ID, "damaged", 0, 10))(t), first[1:])
	equal(t, "of a reason that is none", len(must(c.RunLosses(ctx, run.ID, "none", 0, 10))(t)), 0)
	_, err := c.RunLosses(ctx, other.ID+100, "", 0, 10)
	wantKind(t, "RunLosses of no run", err, palate.ErrNotFound)
	_, err = c.RunLosses(ctx, run.ID, "", 0, 1001)
	wantKind(t, "too large a limit", err, palate.ErrInvalid)
}

func lossesBounded(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	oldest, _ := start(t, c, "import")
	many := make([]catalog.RunLoss, catalog.MostRunLosses-1)
	for i := range many {
		many[i] = catalog.RunLoss{Path: fmt.Sprint(i), Reason: "broken"}
	}
	ok(t, "AddRunLosses", c.AddRunLosses(ctx, oldest.ID, many))
	ok(t, "AddRunLosses beyond the bound", c.AddRunLosses(ctx, oldest.ID, many[:3]))
	equal(t, "counted", must(c.RunByID(ctx, oldest.ID))(t).Losses, catalog.MostRunLosses+2)
	last := must(c.RunLosses(ctx, oldest.ID, "", catalog.MostRunLosses-2, 1000))(t)
	equal(t, "kept behind the last but two", len(last), 2)
	for range catalog.RunsWithLosses - 1 {
		run, _ := start(t, c, "import")
		ok(t, "AddRunLosses", c.AddRunLosses(ctx, run.ID, many[:1]))
	}
	start(t, c, "import") // without losses
	equal(t, "of the oldest that is kept", len(must(c.RunLosses(ctx, oldest.ID, "", 0, 10))(t)), 10)
	run, _ := start(t, c, "import")
	ok(t, "AddRunLosses", c.AddRunLosses(ctx, run.ID, many[:1]))
	equal(t, "of one that is too old", len(must(c.RunLosses(ctx, oldest.ID, "", 0, 10))(t)), 0)
	equal(t, "of the next", len(must(c.RunLosses(ctx, oldest.ID+1, "", 0, 10))(t)), 1)
	equal(t, "counted still", must(c.RunByID(ctx, oldest.ID))(t).Losses, catalog.MostRunLosses+2)
}
