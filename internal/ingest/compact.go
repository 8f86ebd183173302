package ingest

import (
	"context"
	"strings"
)

const (
	// ChangesKept is how many changes a catalog remembers when it is
	// compacted. An embedded index whose file is further behind is loaded
	// anew, which is then about as quick. They take some 20 MB.
	ChangesKept = 200_000

	// followerLag is how many times as many are kept for an index on a server
	// that has not seen them: filling that anew takes long. One that is
	// further behind is one that nobody follows any more.
	followerLag = 10
)

// Compact forgets old changes: all but the newest ones, and but what a
// follower has not seen yet.
func (c *Collection) Compact(ctx context.Context, keep uint64) error {
	last, err := c.catalog.LastChange(ctx)
	if err != nil || last <= keep {
		return err
	}
	followers, err := c.catalog.Followers(ctx)
	if err != nil {
		return err
	}
	upTo := last - keep
	for name, at := range followers {
		if !strings.HasSuffix(name, filledSuffix) && at < upTo && last-at <= keep*followerLag {
			upTo = at
		}
	}
	return c.catalog.CompactChanges(ctx, upTo)
}
