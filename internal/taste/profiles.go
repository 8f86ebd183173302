package taste

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/probe/judge"
)

// RenameProfile gives a taste another name. palate.ErrNotFound without it,
// palate.ErrConflict if the name is taken or either is being trained.
func (t *Tastes) RenameProfile(ctx context.Context, from, to palate.Profile) error {
	return t.alone(ctx, []palate.Profile{from, to}, func() error { return t.catalog.RenameProfile(ctx, from, to) })
}

// DeleteProfile removes a taste. palate.ErrNotFound without it,
// palate.ErrConflict while it is being trained.
func (t *Tastes) DeleteProfile(ctx context.Context, p palate.Profile) error {
	return t.alone(ctx, []palate.Profile{p}, func() error { return t.catalog.DeleteProfile(ctx, p) })
}

// alone changes profiles while nobody trains them, and forgets what is
// remembered of them.
func (t *Tastes) alone(ctx context.Context, profiles []palate.Profile, change func() error) (err error) {
	for i, p := range profiles {
		if i > 0 && p == profiles[0] {
			continue
		}
		lease, leaseErr := t.lease(ctx, p)
		if leaseErr != nil {
			return errors.Join(leaseErr, err)
		}
		defer func() { err = errors.Join(err, lease.Release()) }()
	}
	if err := change(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range profiles {
		delete(t.loaded, p)
		delete(t.tried, p)
		delete(t.asked, p)
	}
	return nil
}

// Likeness is how two tastes compare.
type Likeness struct {
	// Both is how many images both have liked or disliked, Same how many of
	// them alike; Kappa is Cohen's, agreement beyond chance, 0 where it is
	// not defined.
	Both  int     `json:"both"`
	Same  int     `json:"same"`
	Kappa float64 `json:"kappa"`
	// Correlation of the two probes' scores over the images of the
	// collection that were drawn, and how many; nil without two probes.
	Correlation *float64 `json:"correlation,omitempty"`
	Images      int      `json:"images"`
	// FirstOnSecond is the AUC of the first profile's probe on the second's
	// ratings, and the other way round; nil without that probe or without
	// both verdicts. A person's own ratings are not held out here.
	FirstOnSecond *float64 `json:"first_on_second,omitempty"`
	SecondOnFirst *float64 `json:"second_on_first,omitempty"`
}

// likenessImages is how many images of the collection two probes are compared
// on.
const likenessImages = 2000

// Words say how like two tastes are, a line each.
func (l Likeness) Words(first, second palate.Profile) []string {
	words := []string{fmt.Sprintf("%s and %s have both judged %d images, %d of them alike (kappa %.2f).", first, second, l.Both, l.Same, l.Kappa)}
	if l.Correlation != nil {
		words = append(words, fmt.Sprintf("Their probes' scores of %d images correlate by %.2f.", l.Images, *l.Correlation))
	}
	if l.FirstOnSecond != nil {
		words = append(words, fmt.Sprintf("The probe of %s ranks what %s rated with an AUC of %.3f.", first, second, *l.FirstOnSecond))
	}
	if l.SecondOnFirst != nil {
		words = append(words, fmt.Sprintf("The probe of %s ranks what %s rated with an AUC of %.3f.", second, first, *l.SecondOnFirst))
	}
	return words
}

// Compare compares two tastes of the collection.
func (t *Tastes) Compare(ctx context.Context, a, b palate.Profile) (Likeness, error) {
	var l Likeness
	ratings := make([]map[palate.ImageID]catalog.Rating, 2)
	versions := make([]*Version, 2)
	for i, p := range []palate.Profile{a, b} {
		var err error
		if ratings[i], err = t.judgements(ctx, p); err != nil {
			return l, err
		}
		if err := t.known(ctx, p); err != nil {
			return l, err
		}
		switch v, err := t.Current(ctx, p); {
		case err == nil:
			versions[i] = &v
		case !errors.Is(err, palate.ErrNotFound):
			return l, err
		}
	}
	l.agree(ratings[0], ratings[1])
	var err error
	if versions[0] != nil {
		if l.FirstOnSecond, err = t.foreign(ctx, versions[0], ratings[1]); err != nil {
			return l, err
		}
	}
	if versions[1] != nil {
		if l.SecondOnFirst, err = t.foreign(ctx, versions[1], ratings[0]); err != nil {
			return l, err
		}
	}
	if versions[0] == nil || versions[1] == nil {
		return l, nil
	}
	images, err := t.catalog.ListEmbeddings(ctx, t.model, palate.ImageID{}, likenessImages)
	if err != nil {
		return l, err
	}
	var first, second []float64
	for _, e := range images {
		first, second = append(first, versions[0].Learned.ScoreOf(e.ID, e.Embedding)), append(second, versions[1].Learned.ScoreOf(e.ID, e.Embedding))
	}
	l.Images = len(images)
	if r := correlation(first, second); !math.IsNaN(r) {
		l.Correlation = &r
	}
	return l, nil
}

// known reports a profile that is not there as palate.ErrNotFound.
func (t *Tastes) known(ctx context.Context, p palate.Profile) error {
	profiles, err := t.catalog.Profiles(ctx)
	if err != nil {
		return err
	}
	for _, summary := range profiles {
		if summary.Profile == p {
			return nil
		}
	}
	return fmt.Errorf("profile %q: %w", p, palate.ErrNotFound)
}

// agree counts what both have judged.
func (l *Likeness) agree(a, b map[palate.ImageID]catalog.Rating) {
	var likesA, likesB float64
	for id, r := range a {
		other, there := b[id]
		if !there {
			continue
		}
		l.Both++
		if r.Verdict == other.Verdict {
			l.Same++
		}
		if r.Verdict == palate.Like {
			likesA++
		}
		if other.Verdict == palate.Like {
			likesB++
		}
	}
	if l.Both == 0 {
		return
	}
	n := float64(l.Both)
	chance := likesA/n*likesB/n + (1-likesA/n)*(1-likesB/n)
	if chance < 1 {
		l.Kappa = (float64(l.Same)/n - chance) / (1 - chance)
	}
}

// foreign is the AUC of a probe on another's ratings.
func (t *Tastes) foreign(ctx context.Context, v *Version, ratings map[palate.ImageID]catalog.Rating) (*float64, error) {
	ids := make([]palate.ImageID, 0, len(ratings))
	for id := range ratings {
		ids = append(ids, id)
	}
	embeddings, err := t.catalog.EmbeddingsOf(ctx, t.model, ids)
	if err != nil {
		return nil, err
	}
	var scores []float64
	var liked []bool
	likes := 0
	for _, e := range embeddings {
		like := ratings[e.ID].Verdict == palate.Like
		scores, liked = append(scores, v.Learned.ScoreOf(e.ID, e.Embedding)), append(liked, like)
		if like {
			likes++
		}
	}
	if likes == 0 || likes == len(liked) {
		return nil, nil
	}
	auc, err := judge.AUC(scores, liked)
	return &auc, err
}

// correlation is Pearson's; NaN where one does not vary.
func correlation(a, b []float64) float64 {
	var meanA, meanB float64
	for i := range a {
		meanA += a[i] / float64(len(a))
		meanB += b[i] / float64(len(b))
	}
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - meanA) * (b[i] - meanB)
		aa += (a[i] - meanA) * (a[i] - meanA)
		bb += (b[i] - meanB) * (b[i] - meanB)
	}
	return ab / math.Sqrt(aa*bb)
}
