package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

func (f *fixture) wantEmbedded(want int) {
	f.t.Helper()
	got, err := f.catalog.CountEmbeddings(f.t.Context(), f.model())
	if err != nil || got != want {
		f.t.Errorf("got %d embeddings and %v, want %d", got, err, want)
	}
}

func (f *fixture) lastRun() catalog.Run {
	f.t.Helper()
	runs, err := f.catalog.ListRuns(f.t.Context(), 0, 1)
	f.ok("ListRuns", err)
	if len(runs) == 0 {
		f.t.Fatal("no run was recorded")
	}
	return runs[0]
}

func TestWhatIsStoredIsEmbeddedOnce(t *testing.T) {
	f := newFixture(t)
	if report := f.embed(); report.Total != 0 {
		t.Errorf("an empty collection: got %+v", report)
	}
	ids := f.add(0, 100) // more than are written at a time
	var told []int
	report, err := f.collection.EmbedPending(t.Context(), f.embedder, embedder.DefaultPipelineConfig(), func(r ingest.EmbedReport) {
		told = append(told, r.Embedded)
	})
	f.ok("EmbedPending", err)
	if report.Total != 100 || report.Embedded != 100 || report.Failed != 0 || report.ImagesPerSecond <= 0 || report.DecodeSeconds <= 0 {
		t.Errorf("got %+v, want 100 embedded in some time", report)
	}
	if len(told) < 2 || told[len(told)-1] != 100 {
		t.Errorf("progress told %v, want steps to 100", told)
	}
	embeddings, err := f.catalog.EmbeddingsOf(t.Context(), f.model(), ids)
	f.ok("EmbeddingsOf", err)
	for i, e := range embeddings {
		alone, err := f.collection.EmbedPicture(t.Context(), f.embedder, painting(i))
		f.ok("EmbedPicture", err)
		for j := range alone {
			if d := alone[j] - e.Embedding[j]; d > 1e-6 || d < -1e-6 || e.ID != ids[i] {
				t.Fatalf("image %d: the embedding that was written is not the picture's", i)
			}
		}
	}
	if run := f.lastRun(); run.Kind != "embed" || run.State != catalog.Succeeded || run.Done != 100 || run.Total != 100 || !strings.Contains(string(run.Result), `"embedded":100`) {
		t.Errorf("got the run %+v", run)
	}
	before, err := f.catalog.LastChange(t.Context())
	f.ok("LastChange", err)
	if report := f.embed(); report.Total != 0 {
		t.Errorf("again: got %+v, want nothing to do", report)
	}
	if after, err := f.catalog.LastChange(t.Context()); err != nil || after != before {
		t.Errorf("again: the last change went from %d to %d", before, after)
	}
}

func TestAPictureThatCanNotBeEmbeddedIsPassedBy(t *testing.T) {
	f := newFixture(t)
	ids := f.add(0, 12)
	cut, gone := ids[3], ids[7]
	whole, err := os.ReadFile(f.fileOf(cut))
	f.ok("read", err)
	f.ok("cut", os.Truncate(f.fileOf(cut), int64(len(whole)/2)))
	f.ok("remove", os.Remove(f.fileOf(gone)))
	report := f.embed()
	if report.Total != 12 || report.Embedded != 10 || report.Failed != 2 || len(report.Failures) != 2 {
		t.Fatalf("got %+v, want 10 embedded and 2 failed", report)
	}
	failures, err := f.catalog.EmbeddingFailures(t.Context(), f.model())
	f.ok("EmbeddingFailures", err)
	if len(failures) != 2 || !strings.Contains(failures[cut], "PNG") || !strings.Contains(failures[gone], gone.String()) {
		t.Errorf("got failures %v, want the two with their reasons", failures)
	}
	if report := f.embed(); report.Total != 0 {
		t.Errorf("again: got %+v, want both passed by", report)
	}
	writeFile(t, f.fileOf(cut), whole)
	f.ok("ClearEmbeddingFailures", f.catalog.ClearEmbeddingFailures(t.Context(), f.model()))
	if report := f.embed(); report.Embedded != 1 || report.Failed != 1 {
		t.Errorf("tried again: got %+v, want the mended one embedded", report)
	}
	f.wantEmbedded(11)
}

// What would meet every picture is no picture's fault.
func TestAStoreThatIsAwayStopsTheWork(t *testing.T) {
	f := newFixture(t)
	ids := f.add(0, 6)
	away := fmt.Errorf("the disk is away: %w", palate.ErrUnavailable)
	store := gateStore{f.store, func(id palate.ImageID) error {
		if id == ids[3] {
			return away
		}
		return nil
	}}
	c := ingest.NewCollection(f.catalog, store, picture.DefaultLimits())
	report, err := c.EmbedPending(t.Context(), f.embedder, oneByOne, nil)
	if !errors.Is(err, away) || !strings.Contains(err.Error(), ids[3].String()) || report.Failed != 0 {
		t.Errorf("got %+v and %v, want the error of the store and which image met it", report, err)
	}
	if run := f.lastRun(); run.State != catalog.Failed || !strings.Contains(run.Error, "the disk is away") {
		t.Errorf("got the run %+v, want it failed with the reason", run)
	}
	f.wantEmbedded(3) // what was done before is kept
	if report := f.embed(); report.Embedded != 3 || report.Failed != 0 {
		t.Errorf("when it is back: got %+v, want the other 3 embedded", report)
	}
}

// stages are the places in which embedding is interrupted, at the n-th time.
var stages = map[string]func(f *fixture, n int, stop func()) (*ingest.Collection, embedder.Embedder){
	"while pictures are decoded": func(f *fixture, n int, stop func()) (*ingest.Collection, embedder.Embedder) {
		store := gateStore{f.store, func(palate.ImageID) error {
			if n--; n == 0 {
				stop()
			}
			return nil
		}}
		return ingest.NewCollection(f.catalog, store, picture.DefaultLimits()), f.embedder
	},
	"while pictures are embedded": func(f *fixture, n int, stop func()) (*ingest.Collection, embedder.Embedder) {
		return f.collection, countingEmbedder{f.embedder, func(int) {
			if n--; n == 0 {
				stop()
			}
		}}
	},
	"before embeddings are written": func(f *fixture, n int, stop func()) (*ingest.Collection, embedder.Embedder) {
		c := tellingCatalog{f.catalog, func() {
			if n -= 64; n <= 0 {
				stop()
			}
		}, func() {}}
		return ingest.NewCollection(c, f.store, picture.DefaultLimits()), f.embedder
	},
	"after embeddings were written": func(f *fixture, n int, stop func()) (*ingest.Collection, embedder.Embedder) {
		c := tellingCatalog{f.catalog, func() {}, func() {
			if n -= 64; n <= 0 {
				stop()
			}
		}}
		return ingest.NewCollection(c, f.store, picture.DefaultLimits()), f.embedder
	},
}

func TestInterruptedWorkGoesOnWhereItWas(t *testing.T) {
	const pictures = 80 // a whole batch of writing and a part
	for name, stage := range stages {
		for _, at := range []int{1, 70} {
			t.Run(fmt.Sprintf("%s, at %d", name, at), func(t *testing.T) {
				t.Parallel()
				f := newFixture(t)
				f.add(0, pictures)
				ctx, stop := context.WithCancel(t.Context())
				c, e := stage(f, at, stop)
				first, err := c.EmbedPending(ctx, e, oneByOne, nil)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want that it was cancelled", err)
				}
				if run := f.lastRun(); run.State != catalog.Cancelled {
					t.Errorf("got the run %+v, want it cancelled", run)
				}
				if failures, err := f.catalog.EmbeddingFailures(t.Context(), f.model()); err != nil || len(failures) != 0 {
					t.Errorf("got failures %v and %v: no picture is to blame", failures, err)
				}
				f.wantEmbedded(first.Embedded)
				// The second run embeds what the first did not report, no more.
				embedded := 0
				second, err := f.collection.EmbedPending(t.Context(), countingEmbedder{f.embedder, func(n int) { embedded += n }}, oneByOne, nil)
				if err != nil || first.Embedded+second.Embedded != pictures || embedded != second.Embedded {
					t.Errorf("got %d, then %d by %d calls and %v, want %d together", first.Embedded, second.Embedded, embedded, err, pictures)
				}
				f.wantEmbedded(pictures)
			})
		}
	}
}

// Two at once share the work: every picture is embedded once, and whoever waits
// for all takes over what the other gives up.
func TestTwoShareTheWork(t *testing.T) {
	const pictures = 200
	f := newFixture(t)
	f.add(0, pictures)
	other := ingest.NewCollection(f.again(), f.store, picture.DefaultLimits())
	var by [2]atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	begun := false
	report, err := f.collection.EmbedAll(t.Context(), countingEmbedder{f.embedder, func(n int) {
		by[0].Add(int64(n))
		if begun {
			return
		}
		begun = true
		working := make(chan struct{}, pictures)
		go func() {
			_, err := other.EmbedPending(ctx, countingEmbedder{f.embedder, func(n int) {
				if by[1].Add(int64(n)) == 70 { // in its second share
					stop()
				}
				working <- struct{}{}
			}}, oneByOne, nil)
			ended <- err
		}()
		for range 5 {
			<-working
		}
	}}, oneByOne, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the other: %v", err)
	}
	f.wantEmbedded(pictures)
	// What the other had in hand when it was stopped may be embedded again.
	if sum := by[0].Load() + by[1].Load(); sum < pictures || sum > pictures+1 || by[1].Load() < 5 {
		t.Errorf("the two embedded %d and %d of %d pictures (report %+v)", by[0].Load(), by[1].Load(), pictures, report)
	}
	if report, err := other.EmbedPending(t.Context(), f.embedder, oneByOne, nil); err != nil || report.Total != 0 {
		t.Errorf("later: got %+v and %v, want nothing to do", report, err)
	}
}

func TestWhatIsDeletedMeanwhileStaysAway(t *testing.T) {
	f := newFixture(t)
	ids := f.add(0, 10)
	n := 0
	report, err := f.collection.EmbedPending(t.Context(), countingEmbedder{f.embedder, func(int) {
		if n++; n == 2 { // one that is embedded, the present one and one to come
			for _, id := range []palate.ImageID{ids[0], ids[1], ids[8]} {
				if err := f.collection.Remove(t.Context(), id, "not art"); err != nil {
					t.Error(err)
				}
			}
		}
	}}, oneByOne, nil)
	if err != nil || report.Failed != 0 {
		t.Errorf("got %+v and %v, want no failure", report, err)
	}
	f.wantEmbedded(7)
	if failures, err := f.catalog.EmbeddingFailures(t.Context(), f.model()); err != nil || len(failures) != 0 {
		t.Errorf("got failures %v and %v, want none", failures, err)
	}
}
