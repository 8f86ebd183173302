package api

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"
)

// Limits say how often one caller may ask: PerSecond over time, and Burst at
// once. The zero Limits are none.
type Limits struct {
	PerSecond float64
	Burst     int
}

// guessing is how often one address may try secrets that open nothing.
var guessing = Limits{PerSecond: 1, Burst: 20}

// mostCallers bounds how many are remembered; those that have not asked for
// the longest are as good as new.
const mostCallers = 10_000

// paces holds callers to limits.
type paces struct {
	limits Limits

	mu      sync.Mutex
	callers map[string]*rate.Limiter
}

func newPaces(limits Limits) *paces {
	return &paces{limits: limits, callers: map[string]*rate.Limiter{}}
}

// take counts one request of a caller; if it is one too many, it says after
// which time there is room for the next.
func (p *paces) take(caller string) (wait time.Duration, ok bool) {
	if p.limits == (Limits{}) {
		return 0, true
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.callers[caller]
	if one == nil {
		if len(p.callers) >= mostCallers {
			p.forget(now)
		}
		one = rate.NewLimiter(rate.Limit(p.limits.PerSecond), p.limits.Burst)
		p.callers[caller] = one
	}
	if one.AllowN(now, 1) {
		return 0, true
	}
	return time.Duration((1 - one.TokensAt(now)) / p.limits.PerSecond * float64(time.Second)), false
}

// forget drops who has all of their burst again; if nobody has, everybody.
func (p *paces) forget(now time.Time) {
	for name, one := range p.callers {
		if one.TokensAt(now) >= float64(p.limits.Burst) {
			delete(p.callers, name)
		}
	}
	if len(p.callers) >= mostCallers {
		clear(p.callers)
	}
}

func (s *Server) tooMany(c echo.Context, wait time.Duration) error {
	seconds := int(math.Ceil(wait.Seconds()))
	c.Response().Header().Set("Retry-After", strconv.Itoa(seconds))
	return echo.NewHTTPError(http.StatusTooManyRequests, fmt.Sprintf("these are more requests than a caller may send; ask again in %d s", seconds))
}
