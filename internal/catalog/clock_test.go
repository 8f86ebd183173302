package catalog_test

import (
	"testing"
	"time"

	"github.com/palate-art/palate/internal/catalog"
)

func TestClockIsDoubtedAfterALeapAndTrustedADayLater(t *testing.T) {
	const day = 24 * time.Hour
	start := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	type look struct {
		at     time.Duration // since start
		jumped bool
		doubt  bool
	}
	for _, c := range []struct {
		name  string
		looks []look
	}{
		{"used every day", []look{{0, false, false}, {20 * time.Hour, false, false}, {40 * time.Hour, false, false}}},
		{"unused for a week", []look{{0, false, false}, {7 * day, true, true}, {7*day + time.Hour, false, true}, {8 * day, false, false}}},
		{"used once a week", []look{{0, false, false}, {7 * day, true, true}, {14 * day, false, false}, {21 * day, true, true}, {28 * day, false, false}}},
		{"years ahead, and set right", []look{{0, false, false}, {3000 * day, true, true}, {time.Hour, true, true}, {26 * time.Hour, false, false}}},
		{"years ahead again and again", []look{{0, false, false}, {1000 * day, true, true}, {2000 * day, true, true}, {3000 * day, true, true}}},
		{"an empty battery: back to 1970, and set right", []look{{0, false, false}, {-20000 * day, true, true}, {-20000*day + time.Hour, false, true}, {time.Hour, true, true}, {26 * time.Hour, false, false}}},
		{"set right by seconds", []look{{0, false, false}, {-30 * time.Second, false, false}, {time.Hour, false, false}}},
		{"two days ahead, and set right", []look{{2 * day, false, false}, {0, true, true}, {23 * time.Hour, false, true}, {24 * time.Hour, false, false}}},
	} {
		var clock catalog.Clock
		for i, l := range c.looks {
			var jumped bool
			clock, jumped = clock.See(start.Add(l.at))
			if jumped != l.jumped || clock.InDoubt() != l.doubt {
				t.Errorf("%s, look %d: got jumped %v and doubt %v, want %v and %v", c.name, i, jumped, clock.InDoubt(), l.jumped, l.doubt)
			}
		}
	}
}

func TestClockTellsByHowMuchItWentBack(t *testing.T) {
	start := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	ahead, _ := catalog.Clock{}.See(start.Add(48 * time.Hour))
	if back := ahead.Back(); back != 0 {
		t.Errorf("without a jump: got %v, want 0", back)
	}
	right, _ := ahead.See(start)
	if back := right.Back(); back != 48*time.Hour {
		t.Errorf("got %v, want 48h", back)
	}
}
