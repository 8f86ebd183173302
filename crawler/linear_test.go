//go:build unix

package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/test/race"
)

// thumbnailPage is a page of n thumbnails in light boxes.
func thumbnailPage(n int) string {
	var page strings.Builder
	page.WriteString("<main><div class=grid>")
	for i := range n {
		fmt.Fprintf(&page, `<a class=item href="/i/%d_1200.jpg"><img src="/i/%d_300.jpg"></a>`+"\n", i, i)
	}
	page.WriteString("</div></main>")
	return page.String()
}

// BenchmarkReadPage reads pages of many thumbnails: the time for each is the
// same however many there are.
func BenchmarkReadPage(b *testing.B) {
	for _, n := range []int{500, 1000, 2000, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := []byte(thumbnailPage(n))
			for b.Loop() {
				if got, err := crawler.ReadPage(b.Context(), "http://site.test/", text); err != nil || got != n {
					b.Fatalf("%d pictures and error %v, want %d", got, err, n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/picture")
		})
	}
}

func TestPageIsReadInTimeLinearInItsSize(t *testing.T) {
	race.Long(t)
	took := map[int]time.Duration{}
	const large, small = thumbnailsOfLargePage, thumbnailsOfLargePage / 8
	for _, n := range []int{small, large} {
		text := []byte(thumbnailPage(n))
		best := time.Hour
		for range 3 {
			began := processorTime(t)
			if got, err := crawler.ReadPage(t.Context(), "http://site.test/", text); err != nil || got != n {
				t.Fatalf("%d pictures and error %v, want %d", got, err, n)
			}
			best = min(best, processorTime(t)-began)
		}
		took[n] = best
	}
	if ratio := took[large].Seconds() / took[small].Seconds(); ratio > 24 { // 8 where linear, 64 where quadratic
		t.Errorf("%d thumbnails took %v and %d %v: %.0f times as long", large, took[large], small, took[small], ratio)
	}
}

// processorTime is what this process has used: a busy machine does not change
// it much.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestReadingEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := crawler.ReadPage(ctx, "http://site.test/", []byte(thumbnailPage(4000))); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
