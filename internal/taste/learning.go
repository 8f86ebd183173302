package taste

import (
	"context"

	"github.com/palate-art/palate"
)

// Learning is how far a profile is from its next training.
type Learning struct {
	Said   int // ratings that count and came since the last training; Wanted at most
	Wanted int // with which a training starts by itself; 0 if none does

	// LikesMissing and DislikesMissing are those without which there is no
	// training at all.
	LikesMissing, DislikesMissing int
}

// Learning tells how far the profile is from its next training. What it tells
// of a profile without ratings is what is missing for the first.
func (t *Tastes) Learning(ctx context.Context, p palate.Profile) (Learning, error) {
	summaries, err := t.catalog.Profiles(ctx)
	if err != nil {
		return Learning{}, err
	}
	least := t.config.Probe.MinPerClass
	l := Learning{Wanted: t.config.RetrainAfter, LikesMissing: least, DislikesMissing: least}
	for _, s := range summaries {
		if s.Profile == p {
			l.LikesMissing, l.DislikesMissing = max(0, least-s.Likes), max(0, least-s.Dislikes)
		}
	}
	if l.Wanted == 0 {
		return l, nil
	}
	said, _, err := t.news(ctx, p)
	l.Said = min(said, l.Wanted)
	return l, err
}
