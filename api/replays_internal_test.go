package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestAnswersAreKeptForADayAndWithinBounds(t *testing.T) {
	k, now := newReplays(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	k.now = func() time.Time { return now }
	put := func(key string, bytes int) {
		t.Helper()
		if answer, known := k.begin(replayKey{key: key}); answer != nil || known {
			t.Fatalf("%s is known", key)
		}
		k.end(replayKey{key: key}, &replay{status: http.StatusOK, body: make([]byte, bytes)})
	}
	kept := func(key string) bool {
		answer, known := k.begin(replayKey{key: key})
		if !known {
			k.end(replayKey{key: key}, nil)
		}
		return answer != nil
	}
	put("first", 10)
	if _, known := k.begin(replayKey{key: "running"}); known {
		t.Error("what was never asked is known")
	}
	if answer, known := k.begin(replayKey{key: "running"}); answer != nil || !known {
		t.Error("what is worked on is not known")
	}
	now = now.Add(replayFor - time.Second)
	if !kept("first") {
		t.Error("forgotten before its day is over")
	}
	if now = now.Add(time.Second); kept("first") || k.bytes != 0 {
		t.Errorf("kept after its day, %d bytes", k.bytes)
	}
	for i := range mostReplayBytes/longestReplay + 1 {
		put(fmt.Sprint("large ", i), longestReplay)
	}
	if kept("large 0") || !kept("large 1") || k.bytes > mostReplayBytes {
		t.Errorf("got %d bytes, want the oldest gone and the rest kept", k.bytes)
	}
	for i := range mostReplays + 1 {
		put(fmt.Sprint("empty ", i), 0)
	}
	if kept("empty 0") || !kept("empty 1") || len(k.kept) > mostReplays {
		t.Errorf("got %d answers", len(k.kept))
	}
}
