package catalog

import (
	"context"
	"time"
)

const (
	// ClockLeap is by how much a clock may go on between two looks without
	// being doubted, and for how long it is doubted then.
	ClockLeap = 24 * time.Hour
	// clockBack is by how much a clock may go back: it is set right now and
	// then.
	clockBack = time.Hour
	// clockLonger is by how much a doubted clock may go on without being
	// doubted anew.
	clockLonger = 31 * 24 * time.Hour
	// clockStep is how much later a look has to be to be worth remembering.
	clockStep = time.Minute
)

// Clock is what a catalog remembers of the machine's clock, by which it can be
// noticed that this one jumped. Of a clock that went on by more than a day
// nobody can say whether it jumped or the collection lay unused. It is doubted
// for a day, in which the network or whoever reads of it sets it right; while
// it is doubted, nothing expires.
type Clock struct {
	Seen time.Time // the last look; zero is none
	// Doubted is when the clock was found to have jumped, by that clock; zero
	// is not. From is what the look before had seen.
	Doubted, From time.Time
	Swept         time.Time // when files were last swept; zero is never
}

// InDoubt reports whether nothing may expire by this clock.
func (c Clock) InDoubt() bool { return !c.Doubted.IsZero() }

// Back is by how much the clock went back when it was found to have jumped; 0
// or less if it went on.
func (c Clock) Back() time.Duration {
	if !c.InDoubt() {
		return 0
	}
	return c.From.Sub(c.Doubted)
}

// See is the clock after one more look. jumped reports whether that look gave
// rise to a doubt.
func (c Clock) See(now time.Time) (next Clock, jumped bool) {
	next, step := c, now.Sub(c.Seen)
	next.Seen = now
	switch {
	case c.Seen.IsZero():
		return next, false
	case step < -clockBack, step > ClockLeap && !c.InDoubt(), step > clockLonger:
		next.Doubted, next.From = now, c.Seen
		return next, true
	case c.InDoubt() && now.Sub(c.Doubted) >= ClockLeap:
		next.Doubted, next.From = time.Time{}, time.Time{}
		return next, false
	case step < clockStep: // also one that was set right by a little
		return c, false
	}
	return next, false
}

// Clocks remembers the clock.
type Clocks interface {
	// SeeClock looks at a clock that says now, and tells what is remembered
	// after it. Where it was found to have jumped (Clock.Doubted is now), what
	// was dated by the wrong clock is set right in the same commit: what was
	// thrown away in the future, or while the clock was in doubt, was thrown
	// away now; where it went back, pending tasks of crawls and subscriptions
	// wait no longer than they would have. It is no change in the sense of
	// Changes.
	SeeClock(ctx context.Context, now time.Time) (Clock, error)

	// SetSwept remembers when files were swept.
	SetSwept(ctx context.Context, at time.Time) error

	// DueBeyond counts the pending tasks of all crawls that are due after a
	// time, which is later than any site may ask to wait until.
	DueBeyond(ctx context.Context, at time.Time) (int, error)

	// DueAtOnce makes these tasks due at once, and returns how many there were.
	DueAtOnce(ctx context.Context, beyond time.Time) (int, error)
}
