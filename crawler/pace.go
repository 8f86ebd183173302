package crawler

import (
	"sync"
	"time"
)

// Who is held back longer than patience goes back into the frontier, so that
// other sites are not kept waiting.
const patience = 30 * time.Second

// LongestWait is the longest wait that a site may ask for; what it
// refuses for longer is lost.
const LongestWait = 7 * 24 * time.Hour

// pace is how fast a site lets itself be asked. A refusal without a time (a
// bare 429 or 503) makes the gap between two requests longer, answers make it
// shorter again, but for a while not so short as it was when the site
// refused. It is safe for concurrent use.
type pace struct {
	first, most time.Duration // the shortest and the longest gap after a refusal

	mu       sync.Mutex
	gap      time.Duration // 0 is none beyond the lane's
	bad      time.Duration // the gap at which the site last refused
	changed  time.Time     // when the gap last grew
	answers  int           // since the gap last changed
	refusals int           // since the last answer
	until    time.Time     // nothing starts before
}

// What the gap follows.
const (
	answersToQuicken = 10
	memoryOfRefusal  = 5 * time.Minute
	longestGap       = time.Minute
)

func newPace(retryDelay time.Duration) *pace {
	first := min(max(retryDelay/2, time.Millisecond/2), time.Second)
	return &pace{first: first, most: min(longestGap, 64*first)}
}

// refused notes a bare refusal of a request that began at that time, with
// the gap that its lane kept at least. Refusals of requests that were on
// their way when the gap grew say nothing new.
func (p *pace) refused(began, now time.Time, kept time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !began.After(p.changed) {
		return
	}
	gap := max(p.gap, kept)
	if p.refusals == 0 { // further ones say that the site is away, not that it is asked too fast
		p.bad = gap
	}
	factor := time.Duration(2)
	if gap < 100*time.Millisecond {
		factor = 4
	}
	p.gap = max(kept, min(max(factor*gap, p.first), p.most))
	p.changed, p.answers = now, 0
	p.refusals++
	if until := now.Add(p.gap); until.After(p.until) {
		p.until = until
	}
}

// answered notes an answer that is no refusal. Far above the gap that was
// refused, the gap shrinks soon; near it, slowly.
func (p *pace) answered(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusals = 0
	if p.gap == 0 {
		return
	}
	if now.Sub(p.changed) > memoryOfRefusal {
		p.bad, p.changed = p.bad/2, now
	}
	p.answers++
	switch {
	case p.gap > 2*p.bad+p.first/2 && p.answers >= 2:
		p.gap, p.answers = p.gap/2, 0
	case p.answers >= answersToQuicken:
		p.gap, p.answers = max(p.gap*17/20, p.bad*11/10), 0
	}
	if p.gap < p.first/8 {
		p.gap = 0
	}
}

// hold lets no request start before that time.
func (p *pace) hold(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.until) {
		p.until = until
	}
}

func (p *pace) now() (gap time.Duration, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gap, p.until
}

// heldError says that a site wants no request before a time that is too far
// off to wait for here.
type heldError struct {
	site  string
	until time.Time
}

func (e *heldError) Error() string {
	return e.site + " asked for no request before " + e.until.UTC().Format(time.RFC3339)
}
