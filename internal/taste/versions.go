package taste

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// Version returns one version of a profile. palate.ErrNotFound without it.
func (t *Tastes) Version(ctx context.Context, p palate.Profile, number int) (Version, error) {
	stored, err := t.catalog.ProbeVersion(ctx, p, number)
	if err != nil {
		return Version{}, err
	}
	return t.parse(ctx, stored)
}

// SummaryOf reads what lists tell of a version: its report without the
// lists. Of an imported version most is zero, as it was not judged here.
func SummaryOf(stored catalog.ProbeVersion) (*judge.Report, error) {
	summary := new(judge.Report)
	if err := json.Unmarshal(stored.Summary, summary); err != nil {
		return nil, fmt.Errorf("summary of probe %d of %s: %w", stored.Version, stored.Profile, err)
	}
	return summary, nil
}

// ReportOf reads the report that was made when a version, as Version returns
// it, was trained. An imported version has none: palate.ErrNotFound.
func ReportOf(stored catalog.ProbeVersion) (*judge.Report, error) {
	report := new(judge.Report)
	if len(stored.Report) > 0 {
		if err := json.Unmarshal(stored.Report, report); err != nil {
			return nil, fmt.Errorf("report of probe %d of %s: %w", stored.Version, stored.Profile, err)
		}
	}
	if len(report.OutOfFold) == 0 {
		return nil, fmt.Errorf("report of probe %d of %s: it was not trained here: %w", stored.Version, stored.Profile, palate.ErrNotFound)
	}
	return report, nil
}

// Told is what is known of how good a version, as Version returns it, is: its
// report, or the little that an imported one brought.
func Told(stored catalog.ProbeVersion) (*judge.Report, error) {
	report, err := ReportOf(stored)
	if errors.Is(err, palate.ErrNotFound) {
		return SummaryOf(stored)
	}
	return report, err
}

// Rollback lets an earlier version serve, until a training after further
// ratings gives a better one. palate.ErrNotFound without that version,
// palate.ErrConflict if it judges embeddings of another model, or while the
// profile is being trained.
func (t *Tastes) Rollback(ctx context.Context, p palate.Profile, number int) (Version, error) {
	lease, err := t.lease(ctx, p)
	if err != nil {
		return Version{}, fmt.Errorf("roll %s back: %w", p, err)
	}
	version, err := t.rollback(ctx, p, number)
	return version, errors.Join(err, lease.Release())
}

func (t *Tastes) rollback(ctx context.Context, p palate.Profile, number int) (Version, error) {
	version, err := t.Version(ctx, p, number)
	if err != nil {
		return Version{}, err
	}
	if version.Model != t.model {
		return Version{}, fmt.Errorf("probe %d of %s judges embeddings of model %s, and %s is in use: %w", number, p, version.Model.Short(), t.model.Short(), palate.ErrConflict)
	}
	if err := t.catalog.MakeProbeCurrent(ctx, p, number); err != nil {
		return Version{}, err
	}
	version.Current = true
	return version, nil
}

// Export gives a version as bytes that Import reads, also elsewhere: the
// format of package probe.
func (t *Tastes) Export(ctx context.Context, p palate.Profile, number int) ([]byte, error) {
	version, err := t.Version(ctx, p, number)
	if err != nil {
		return nil, err
	}
	version.Learned.TrainedAt = version.TrainedAt
	return version.Learned.MarshalBinary()
}

// MaxExportBytes bounds an exported probe. It is above what one takes: ten
// thousand neighbours of 1,536 values.
const MaxExportBytes = 64 << 20

// Import adds an exported probe as the next version, which serves at once.
// What is no probe is palate.ErrInvalid; one for another model, or a profile
// that is being trained, is palate.ErrConflict.
func (t *Tastes) Import(ctx context.Context, p palate.Profile, exported []byte) (Version, error) {
	learned := new(probe.Probe)
	if err := learned.UnmarshalBinary(exported); err != nil {
		return Version{}, fmt.Errorf("import a probe for %s: %w", p, err)
	}
	if learned.Model != t.model || len(learned.Weights) != t.index.Dim() {
		return Version{}, fmt.Errorf("import a probe for %s: it judges embeddings of model %s, and %s is in use: %w", p, learned.Model.Short(), t.model.Short(), palate.ErrConflict)
	}
	if missing := len(learned.Missing()); missing > 0 {
		return Version{}, fmt.Errorf("import a probe for %s: it lacks the embeddings of %d neighbours; export it again: %w", p, missing, palate.ErrInvalid)
	}
	lease, err := t.lease(ctx, p)
	if err != nil {
		return Version{}, fmt.Errorf("import a probe for %s: %w", p, err)
	}
	version, err := t.add(ctx, p, learned)
	return version, errors.Join(err, lease.Release())
}

// add stores an imported probe. It is compared with later ones on ratings
// that come from now on.
func (t *Tastes) add(ctx context.Context, p palate.Profile, learned *probe.Probe) (Version, error) {
	weights, err := learned.MarshalBinary() // its neighbours may be no pictures of this collection
	if err != nil {
		return Version{}, err
	}
	summary, err := json.Marshal(&judge.Report{Format: judge.Format, Model: learned.Model, Kind: learned.Settings.Kind, Strength: learned.Settings.Strength,
		Likes: learned.Likes, Dislikes: learned.Dislikes})
	if err != nil {
		return Version{}, err
	}
	newest, err := t.catalog.StandingRatings(ctx, p, catalog.RatingQuery{Limit: 1})
	if err != nil {
		return Version{}, err
	}
	stored := catalog.ProbeVersion{Profile: p, Model: t.model, Weights: weights, Summary: summary, Current: true, Reason: "imported"}
	if len(newest) > 0 {
		stored.LastEntry = newest[0].Entry
	}
	if stored, err = t.catalog.AddProbe(ctx, stored); err != nil {
		return Version{}, err
	}
	return Version{ProbeVersion: stored, Learned: learned}, nil
}

// CompareVersions tests two versions in pairs on the images that both were
// judged on, out of fold.
func (t *Tastes) CompareVersions(ctx context.Context, p palate.Profile, a, b int) (judge.Difference, error) {
	var predictions [2][]judge.Prediction
	for i, number := range []int{a, b} {
		stored, err := t.catalog.ProbeVersion(ctx, p, number)
		if err != nil {
			return judge.Difference{}, err
		}
		report, err := ReportOf(stored)
		if err != nil {
			return judge.Difference{}, err
		}
		predictions[i] = report.OutOfFold
	}
	return judge.Compare(predictions[0], predictions[1]), nil
}

// DifferenceWords say what CompareVersions found, in a sentence.
func DifferenceWords(d judge.Difference, a, b int) string {
	if d.Works == 0 {
		return fmt.Sprintf("Versions %d and %d were judged on no images of both kinds that they share.", a, b)
	}
	return fmt.Sprintf("On the %d images that both were judged on, held out, the AUC of version %d is higher by %+.3f [%+.3f, %+.3f] than that of version %d (p = %.3f).",
		d.Works, a, d.AUC, d.Low, d.High, b, d.P)
}

// Mislabels lists the ratings that the rest of the profile's ratings speaks
// against, the likeliest mistakes first: by the predictions that the newest
// training made of each rating without it. Ratings that were changed since
// are left out. palate.ErrNotFound before the first training.
func (t *Tastes) Mislabels(ctx context.Context, p palate.Profile, limit int) ([]judge.Mislabel, error) {
	versions, err := t.catalog.ListProbes(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		if v.Model != t.model {
			continue
		}
		stored, err := t.catalog.ProbeVersion(ctx, p, v.Version)
		if err != nil {
			return nil, err
		}
		report, err := ReportOf(stored)
		if errors.Is(err, palate.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return t.stillSaid(ctx, p, judge.Mislabels(report.OutOfFold), limit)
	}
	return nil, fmt.Errorf("there is no taste of %s yet that its ratings could be held against: %w", p, palate.ErrNotFound)
}

// stillSaid leaves out the ratings that do not stand any more.
func (t *Tastes) stillSaid(ctx context.Context, p palate.Profile, doubted []judge.Mislabel, limit int) ([]judge.Mislabel, error) {
	ids := make([]palate.ImageID, len(doubted))
	for i, m := range doubted {
		ids[i] = m.Image
	}
	verdicts, err := t.catalog.StandingVerdicts(ctx, p, ids)
	if err != nil {
		return nil, err
	}
	var out []judge.Mislabel
	for _, m := range doubted {
		said := palate.Dislike
		if m.Liked {
			said = palate.Like
		}
		if verdicts[m.Image] == said && len(out) < limit {
			out = append(out, m)
		}
	}
	return out, nil
}
