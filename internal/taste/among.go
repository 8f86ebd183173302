package taste

import (
	"context"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
)

// Pin holds a ranking to what it began with.
type Pin struct {
	// Version, if not 0, ranks, also if another serves by now.
	Version int
	// LastEntry, if not 0, is the entry of the log up to which a provisional
	// order goes by ratings.
	LastEntry int64
}

// RankAmong ranks those of the named images that are indexed, the best first
// and to the last one: an index gives no list of a whole collection. Its errors are those of Rank.
func (t *Tastes) RankAmong(ctx context.Context, p palate.Profile, ids []palate.ImageID, pin Pin) (Ranking, error) {
	version, order, err := t.serving(ctx, p, pin.LastEntry)
	if err != nil {
		return Ranking{}, err
	}
	ranking := Ranking{Version: version, Provisional: order}
	if order == nil && pin.Version != 0 && pin.Version != version.Version {
		if ranking.Version, err = t.earlier(ctx, p, pin.Version); err != nil {
			return Ranking{}, err
		}
		ranking.Newer = version.Version
	}
	switch {
	case order != nil:
		ranking.Scores, err = t.scoreAll(ctx, order, ids)
	case ranking.Version.Learned.Linear():
		ranking.Scores, err = t.scoreLinearly(ctx, ranking.Version, ids)
	default:
		ranking.Scores, err = t.scoreNear(ctx, ranking.Version, ids)
	}
	if err != nil {
		return Ranking{}, fmt.Errorf("ranking of %s: %w", p, err)
	}
	return ranking, nil
}

// scoreLinearly scores by the inner products that the index tells.
func (t *Tastes) scoreLinearly(ctx context.Context, v Version, ids []palate.ImageID) ([]Score, error) {
	products, err := t.index.Scores(ctx, v.Learned.Query(), ids)
	if err != nil {
		return nil, err
	}
	scores := make([]Score, 0, len(products))
	for id, product := range products {
		scores = append(scores, v.score(id, product))
	}
	slices.SortFunc(scores, compareScores)
	return scores, nil
}

// nearScores are scores of a version that goes by neighbours, each of which
// costs as much as a hundred linear ones.
type nearScores struct {
	version Version
	of      map[palate.ImageID]Score
}

// scoreNear scores by neighbours. What the version that was asked last has
// said is kept: a picture's embedding does not change.
func (t *Tastes) scoreNear(ctx context.Context, v Version, ids []palate.ImageID) ([]Score, error) {
	t.mu.Lock()
	kept, same := t.near[v.Profile]
	t.mu.Unlock()
	same = same && kept.version.Version == v.Version && kept.version.TrainedAt.Equal(v.TrainedAt)
	if !same {
		kept = nearScores{version: v}
	}
	scores := make([]Score, 0, len(ids))
	var missing []palate.ImageID
	for _, id := range ids {
		if score, there := kept.of[id]; there {
			scores = append(scores, score)
		} else {
			missing = append(missing, id)
		}
	}
	fresh, err := t.scoreAll(ctx, newVersionOrder(v), missing)
	if err != nil {
		return nil, err
	}
	if len(fresh) > 0 {
		all := make(map[palate.ImageID]Score, len(kept.of)+len(fresh))
		for id, score := range kept.of { // it may be read by another goroutine
			all[id] = score
		}
		for _, score := range fresh {
			all[score.Image] = score
		}
		kept.of = all
		t.mu.Lock()
		makeRoom(t.near, v.Profile)
		t.near[v.Profile] = kept
		t.mu.Unlock()
	}
	scores = append(scores, fresh...)
	slices.SortFunc(scores, compareScores)
	return scores, nil
}
