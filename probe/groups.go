package probe

import (
	"context"

	"github.com/palate-art/palate"
)

// Placed is where an example stands in a split.
type Placed struct {
	Part   int     // 0 to below the number of parts
	Group  int     // of what shows one work
	Weight float64 // its share of its work's weight
}

// Split puts examples into at most config.Folds parts as Train's judging does
// in its first round: about the same share of likes in each, and what shows
// one work together. Every example has its image, and no two the same.
//
// Errors are those of Train.
func Split(ctx context.Context, examples []Example, config Config) (placed map[palate.ImageID]Placed, parts int, err error) {
	if err := config.Validate(); err != nil {
		return nil, 0, err
	}
	set, err := collect(ctx, examples, config.NearDuplicates)
	if err != nil {
		return nil, 0, err
	}
	if err := config.enough(set); err != nil {
		return nil, 0, err
	}
	part, parts := set.split(set.all(), config.Folds, config.random(1, 0))
	if parts == 0 {
		return nil, 0, config.enoughWorks(set)
	}
	placed = make(map[palate.ImageID]Placed, len(set.examples))
	for i, e := range set.examples {
		placed[e.Image] = Placed{part[i], set.groups[i], set.weights[i]}
	}
	return placed, parts, nil
}

// enoughWorks says that the works can't be split.
func (c Config) enoughWorks(s *collection) error {
	likes, dislikes := s.count()
	return &NotEnoughError{Likes: likes, Dislikes: dislikes, NeedLikes: 1, NeedDislikes: 1}
}
