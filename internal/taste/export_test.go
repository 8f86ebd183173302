package taste

import "context"

// ScoreWholeUpTo changes up to how many images a ranking by neighbours scores
// all of them.
func (t *Tastes) ScoreWholeUpTo(images int) { t.wholeUpTo = images }

// ScoreFully changes how many of the found images are scored at least.
func (t *Tastes) ScoreFully(images int) { t.fullyScored = images }

// RankNear ranks by a version that goes by neighbours, by the index alone.
func (t *Tastes) RankNear(ctx context.Context, v Version, q RankQuery) ([]Score, error) {
	return t.rankNear(ctx, newVersionOrder(v), q)
}
