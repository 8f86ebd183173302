package ingest_test

import (
	"testing"

	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/ingest"
)

// A rebuild serves when its graphs are there; the first filling, which nothing
// serves beside, as soon as it has the points.
func TestARebuildSettlesBeforeItServes(t *testing.T) {
	c := newCollection(t, 60)
	c.server.BuildGraphs(1, 2)
	p := c.process(c.catalog)
	for _, first := range []bool{true, false} {
		before, err := p.Generation(t.Context())
		must(t, err)
		prepared := 0
		must(t, p.Rebuild(t.Context(), ingest.Rebuilding{Prepared: func(_, total int) {
			if prepared++; prepared > 1 {
				return
			}
			generation, err := p.Generation(t.Context())
			must(t, err)
			if replaced := generation != before; replaced != first || total != 60 {
				t.Errorf("the first filling: %v; at %d of 60 points: the new points serve: %v", first, total, replaced)
			}
			if n, err := p.Count(t.Context(), index.Filter{}); err != nil || n != 60 {
				t.Errorf("meanwhile: got %d points and %v, want 60", n, err)
			}
		}}))
		if prepared == 0 {
			t.Errorf("the first filling: %v; nothing was told of graphs", first)
		}
		c.mustBeClean(p)
	}
}

// What changes while the graphs are built is in what serves afterwards.
func TestWhatChangesWhileARebuildSettlesIsInIt(t *testing.T) {
	c := newCollection(t, 60)
	c.server.BuildGraphs(1, 2)
	p := c.process(c.catalog)
	c.mustBeClean(p)
	changed := false
	must(t, p.Rebuild(t.Context(), ingest.Rebuilding{Prepared: func(int, int) {
		if !changed {
			changed = true
			c.add(3)
			c.rate(2, "me", "like")
			must(t, c.catalog.DeleteImage(t.Context(), c.ids[7], "not art"))
		}
	}}))
	at, last, err := p.Progress(t.Context())
	if err != nil || at != last || !changed {
		t.Errorf("got change %d of %d, %v; want the last", at, last, err)
	}
	c.mustBeClean(p)
}
