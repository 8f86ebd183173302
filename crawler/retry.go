package crawler

import (
	"math/rand/v2"
	"time"
)

// backOff waits twice as long for each attempt, with half of it drawn, so
// that visits which failed together do not come back together.
func backOff(first time.Duration, attempts int) time.Duration {
	wait := first << min(attempts, 10)
	if wait <= 0 {
		return 0
	}
	return wait/2 + rand.N(wait/2+1)
}
