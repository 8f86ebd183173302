package job

import (
	"testing"
	"time"

	"github.com/palate-art/palate/internal/catalog"
)

// A log says how far its job is often at first, and in a day not a thousand times.
func TestTheLogSaysHowFarAJobIs(t *testing.T) {
	began := time.Now()
	j := Job{Run: catalog.Run{StartedAt: began}, toldHowFar: began}
	j.sayHowFar(began.Add(time.Hour)) // nothing is done yet
	if len(j.lines) != 0 {
		t.Fatalf("got %+v of a job that has done nothing", j.lines)
	}
	j.total = 86_400
	for s := range int64(86_400) {
		j.done = s + 1
		j.sayHowFar(began.Add(time.Duration(j.done) * time.Second))
	}
	if n := len(j.lines); n < 30 || n > 120 || j.lines[0].Text != "60 of 86400 so far." || j.lines[1].Text != "120 of 86400 so far." {
		t.Errorf("got %d lines from %+v", n, j.lines[:min(n, 2)])
	}
}
