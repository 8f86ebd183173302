package embedder_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
)

// In faked time each stage in turn is made the slowest.
func TestTheSlowestStageIsTheBound(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		want                       embedder.Stage
		source, open, embed, write time.Duration
	}{
		{embedder.StageInfer, 0, 20 * ms, 50 * ms, ms},
		{embedder.StageDecode, 0, 50 * ms, 20 * ms, ms},
		{embedder.StageDeliver, 0, 20 * ms, 20 * ms, 40 * ms},
		{embedder.StageSource, 100 * ms, 20 * ms, 20 * ms, ms},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := newThumbnail()
			e.takes = test.embed
			source := func(yield func(embedder.Item, error) bool) {
				for item := range items(60, test.open) {
					time.Sleep(test.source)
					if !yield(item, nil) {
						return
					}
				}
			}
			meter := new(embedder.Meter)
			c := embedder.PipelineConfig{PrepareWorkers: 2, EmbedWorkers: 2, BatchSize: 1, Window: 16, Meter: meter}
			stats, err := embedder.Run(context.Background(), e, c, source, func(embedder.Result) error {
				time.Sleep(test.write)
				return nil
			})
			if err != nil || stats.Bound() != test.want {
				t.Errorf("got %q and %v, want %q: %+v", stats.Bound(), err, test.want, stats)
			}
			if stats != meter.Stats() {
				t.Errorf("the meter counted %+v, the Run %+v", meter.Stats(), stats)
			}
			// Every worker is always at something, until nothing is left for it.
			if got := stats.Decode + stats.Prepare + stats.Idle + stats.Blocked; got > stats.PrepareTime || got < stats.PrepareTime*7/10 {
				t.Errorf("%s: prepare workers account for %v of %v", test.want, got, stats.PrepareTime)
			}
			if got := stats.Infer + stats.Starved; got > stats.EmbedTime || got < stats.EmbedTime*7/10 {
				t.Errorf("%s: embed workers account for %v of %v", test.want, got, stats.EmbedTime)
			}
		})
	}
	if got := (embedder.Stats{}).Bound(); got != "" {
		t.Errorf("nothing done: got %q", got)
	}
}

// A meter shows what is under way, and adds up the Runs that share it.
func TestAMeterCountsWhileRunsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newThumbnail()
		e.takes = time.Second
		meter := new(embedder.Meter)
		c := embedder.PipelineConfig{PrepareWorkers: 1, EmbedWorkers: 1, BatchSize: 1, Window: 4, Meter: meter}
		var amid embedder.Stats
		run := func() embedder.Stats {
			stats, err := embedder.Run(context.Background(), e, c, items(10, 0), func(r embedder.Result) error {
				if r.ID == (palate.ImageID{7}) {
					amid = meter.Stats()
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return stats
		}
		first := run()
		if amid.Embedded != 7 || amid.Wall != 8*time.Second || amid.EmbedTime != 8*time.Second {
			t.Errorf("at the eighth picture: got %+v, want 7 embedded after 8s", amid)
		}
		before := meter.Stats()
		second := run()
		if got := meter.Stats().Since(before); got != second || got.Embedded != 10 {
			t.Errorf("since the first Run: got %+v, want %+v", got, second)
		}
		if all := meter.Stats(); all.Embedded != 20 || all.Infer != first.Infer+second.Infer {
			t.Errorf("got %+v, want the sum of two Runs", all)
		}
	})
}
